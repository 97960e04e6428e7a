SELECT
  "t4"."period",
  COUNT(*) AS "n",
  SUM("t4"."v0") AS "s0",
  SUM("t4"."v1") AS "s1",
  SUM("t4"."v0" * "t4"."v0") AS "q00",
  SUM("t4"."v0" * "t4"."v1") AS "q01",
  SUM("t4"."v1" * "t4"."v1") AS "q11"
FROM (
  SELECT
    *
  FROM (
    SELECT
      "t2"."period",
      CASE
        WHEN CAST(CASE WHEN "t2"."v1" >= 1 THEN 1 ELSE 0 END AS DOUBLE) > 0
        THEN CAST(CASE WHEN "t2"."v0" >= 2 THEN 1 ELSE 0 END AS DOUBLE)
        ELSE 0
      END AS "v0",
      CAST(CASE WHEN "t2"."v1" >= 1 THEN 1 ELSE 0 END AS DOUBLE) AS "v1"
    FROM (
      SELECT
        "t1"."period",
        "t1"."unit",
        SUM("t1"."v0") AS "v0",
        SUM("t1"."v1") AS "v1"
      FROM (
        SELECT
          "t0"."creator_id" AS "unit",
          CAST(DATE_TRUNC(
            'WEEK',
            CASE
              WHEN "t0"."created_time" < MAKE_TIMESTAMP(2026, 10, 25, 1, 0, 0.0)
              THEN "t0"."created_time" + INTERVAL '7200' SECOND
              ELSE "t0"."created_time" + INTERVAL '3600' SECOND
            END
          ) AS DATE) AS "period",
          CAST(CASE WHEN TRUE THEN 1 ELSE 0 END AS DOUBLE) AS "v0",
          CAST(CASE WHEN TRUE THEN 1 ELSE 0 END AS DOUBLE) AS "v1"
        FROM "items" AS "t0"
        WHERE
          "t0"."creator_id" IS NOT NULL
          AND "t0"."created_time" >= MAKE_TIMESTAMP(2026, 10, 19, 0, 0, 0.0)
          AND "t0"."created_time" < MAKE_TIMESTAMP(2026, 11, 2, 0, 0, 0.0)
          AND (
            TRUE OR TRUE
          )
      ) AS "t1"
      GROUP BY
        1,
        2
    ) AS "t2"
  ) AS "t3"
  WHERE
    (
      "t3"."v0" <> 0
    ) OR (
      "t3"."v1" <> 0
    )
) AS "t4"
GROUP BY
  1
