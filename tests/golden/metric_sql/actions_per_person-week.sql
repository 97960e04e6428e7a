SELECT
  "t9"."period",
  "t9"."value",
  "t9"."weight",
  COUNT(*) AS "units"
FROM (
  SELECT
    "t8"."period",
    "t8"."v0" / "t8"."v1" AS "value",
    "t8"."v1" AS "weight"
  FROM (
    SELECT
      "t7"."period",
      CASE
        WHEN CAST(CASE WHEN "t7"."v1" >= 1 THEN 1 ELSE 0 END AS DOUBLE) > 0
        THEN "t7"."v0"
        ELSE 0
      END AS "v0",
      CAST(CASE WHEN "t7"."v1" >= 1 THEN 1 ELSE 0 END AS DOUBLE) AS "v1"
    FROM (
      SELECT
        "t6"."period",
        "t6"."person_id",
        SUM("t6"."v0") AS "v0",
        SUM("t6"."v1") AS "v1"
      FROM (
        SELECT
          "t5"."person_id",
          CAST(DATE_TRUNC(
            'WEEK',
            CASE
              WHEN "t5"."start_time" < MAKE_TIMESTAMP(2026, 10, 25, 1, 0, 0.0)
              THEN "t5"."start_time" + INTERVAL '7200' SECOND
              ELSE "t5"."start_time" + INTERVAL '3600' SECOND
            END
          ) AS DATE) AS "period",
          CASE WHEN TRUE THEN CAST("t5"."actions" AS DOUBLE) ELSE 0 END AS "v0",
          CAST(CASE WHEN "t5"."actions" > 0 THEN 1 ELSE 0 END AS DOUBLE) AS "v1"
        FROM (
          SELECT
            "t4"."person_id",
            "t2"."start_time",
            "t2"."actions",
            "t2"."discoveries"
          FROM "sessions" AS "t2"
          INNER JOIN (
            SELECT
              "t1"."key" AS "identifier",
              "t1"."person_id"
            FROM "identifiers" AS "t1"
          ) AS "t4"
            ON "t2"."identifier" = "t4"."identifier"
        ) AS "t5"
        WHERE
          "t5"."start_time" >= MAKE_TIMESTAMP(2026, 10, 19, 0, 0, 0.0)
          AND "t5"."start_time" < MAKE_TIMESTAMP(2026, 11, 2, 0, 0, 0.0)
          AND (
            TRUE OR (
              "t5"."actions" > 0
            )
          )
      ) AS "t6"
      GROUP BY
        1,
        2
    ) AS "t7"
  ) AS "t8"
  WHERE
    (
      (
        "t8"."v0" <> 0
      ) OR (
        "t8"."v1" <> 0
      )
    ) AND "t8"."v1" > 0
) AS "t9"
GROUP BY
  1,
  2,
  3
