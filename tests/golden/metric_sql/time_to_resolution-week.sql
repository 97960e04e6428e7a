SELECT
  "t2"."value",
  "t2"."ended",
  "t2"."weight",
  "t2"."period",
  COUNT(*) AS "units"
FROM (
  SELECT
    CAST(DATE_DIFF(
      'SECOND',
      "t1"."start",
      CASE
        WHEN (
          "t1"."end" IS NOT NULL
        )
        AND (
          "t1"."end" <= MAKE_TIMESTAMP(2026, 2, 2, 2, 40, 0.0)
        )
        THEN "t1"."end"
        ELSE MAKE_TIMESTAMP(2026, 2, 2, 2, 40, 0.0)
      END
    ) AS DOUBLE) AS "value",
    COALESCE(
      (
        "t1"."end" IS NOT NULL
      )
      AND (
        "t1"."end" <= MAKE_TIMESTAMP(2026, 2, 2, 2, 40, 0.0)
      ),
      FALSE
    ) AS "ended",
    "t1"."weight",
    CAST(DATE_TRUNC(
      'WEEK',
      CASE
        WHEN "t1"."start" < MAKE_TIMESTAMP(2026, 10, 25, 1, 0, 0.0)
        THEN "t1"."start" + INTERVAL '7200' SECOND
        ELSE "t1"."start" + INTERVAL '3600' SECOND
      END
    ) AS DATE) AS "period"
  FROM (
    SELECT
      "t0"."opened_time" AS "start",
      CASE
        WHEN "t0"."closed_time" < "t0"."opened_time"
        THEN "t0"."opened_time"
        ELSE "t0"."closed_time"
      END AS "end",
      1.0 AS "weight"
    FROM "tickets" AS "t0"
    WHERE
      "t0"."opened_time" IS NOT NULL
      AND "t0"."opened_time" >= MAKE_TIMESTAMP(2026, 10, 19, 0, 0, 0.0)
      AND "t0"."opened_time" < MAKE_TIMESTAMP(2026, 11, 2, 0, 0, 0.0)
      AND "t0"."opened_time" <= MAKE_TIMESTAMP(2026, 2, 2, 2, 40, 0.0)
  ) AS "t1"
) AS "t2"
GROUP BY
  1,
  2,
  3,
  4
