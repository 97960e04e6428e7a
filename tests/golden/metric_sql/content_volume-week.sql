SELECT
  "t3"."period",
  COUNT(*) AS "n",
  SUM("t3"."v0") AS "s0",
  SUM("t3"."v0" * "t3"."v0") AS "q00"
FROM (
  SELECT
    "t2"."period",
    "t2"."v0"
  FROM (
    SELECT
      "t1"."period",
      "t1"."unit",
      SUM("t1"."v0") AS "v0"
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
        CAST(CASE WHEN TRUE THEN 1 ELSE 0 END AS DOUBLE) AS "v0"
      FROM "items" AS "t0"
      WHERE
        "t0"."creator_id" IS NOT NULL
        AND "t0"."created_time" >= MAKE_TIMESTAMP(2026, 10, 19, 0, 0, 0.0)
        AND "t0"."created_time" < MAKE_TIMESTAMP(2026, 11, 2, 0, 0, 0.0)
        AND TRUE
    ) AS "t1"
    GROUP BY
      1,
      2
  ) AS "t2"
  WHERE
    "t2"."v0" <> 0
) AS "t3"
GROUP BY
  1
