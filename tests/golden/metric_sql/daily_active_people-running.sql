WITH "t7" AS (
  SELECT
    "t6"."period",
    "t6"."person_id",
    SUM("t6"."v0") AS "v0"
  FROM (
    SELECT
      "t5"."person_id",
      CAST(DATE_TRUNC(
        'DAY',
        CASE
          WHEN "t5"."start_time" < MAKE_TIMESTAMP(2026, 10, 25, 1, 0, 0.0)
          THEN "t5"."start_time" + INTERVAL '7200' SECOND
          ELSE "t5"."start_time" + INTERVAL '3600' SECOND
        END
      ) AS DATE) AS "period",
      CAST(CASE WHEN "t5"."actions" > 0 THEN 1 ELSE 0 END AS DOUBLE) AS "v0"
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
      AND "t5"."actions" > 0
  ) AS "t6"
  GROUP BY
    1,
    2
)
SELECT
  "t14"."period",
  "t14"."side",
  COUNT(*) AS "n",
  SUM("t14"."v0") AS "s0",
  SUM("t14"."v0" * "t14"."v0") AS "q00"
FROM (
  SELECT
    *
  FROM (
    SELECT
      "t12"."period",
      "t12"."side",
      CAST(CASE WHEN "t12"."v0" >= 1 THEN 1 ELSE 0 END AS DOUBLE) AS "v0"
    FROM (
      SELECT
        "t11"."period",
        "t11"."side",
        "t11"."person_id",
        SUM("t11"."v0") AS "v0"
      FROM (
        SELECT
          *
        FROM (
          SELECT
            "t8"."period",
            "t8"."person_id",
            0 AS "side",
            COALESCE(
              SUM("t8"."v0") OVER (
                PARTITION BY "t8"."person_id"
                ORDER BY "t8"."period" ASC
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 preceding
              ),
              0.0
            ) AS "v0"
          FROM "t7" AS "t8"
        ) AS "t9"
        UNION ALL
        SELECT
          *
        FROM (
          SELECT
            "t8"."period",
            "t8"."person_id",
            1 AS "side",
            COALESCE(
              SUM("t8"."v0") OVER (
                PARTITION BY "t8"."person_id"
                ORDER BY "t8"."period" ASC
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
              ),
              0.0
            ) AS "v0"
          FROM "t7" AS "t8"
        ) AS "t10"
      ) AS "t11"
      GROUP BY
        1,
        2,
        3
    ) AS "t12"
  ) AS "t13"
  WHERE
    "t13"."v0" <> 0
) AS "t14"
GROUP BY
  1,
  2
