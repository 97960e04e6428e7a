WITH "t5" AS (
  SELECT
    "t4"."person_id",
    "t2"."kind",
    "t2"."event",
    "t2"."source",
    "t2"."event_time",
    "t2"."properties",
    "t2"."p_revenue",
    "t2"."p_currency",
    "t2"."p_surface"
  FROM "events" AS "t2"
  INNER JOIN (
    SELECT
      "t1"."key" AS "identifier",
      "t1"."person_id"
    FROM "identifiers" AS "t1"
  ) AS "t4"
    ON "t2"."identifier" = "t4"."identifier"
), "t10" AS (
  SELECT
    "t7"."person_id",
    MIN("t7"."event_time") AS "start"
  FROM (
    SELECT
      *
    FROM "t5" AS "t6"
    WHERE
      "t6"."person_id" IS NOT NULL
      AND "t6"."event" IN ('signed_up')
      AND "t6"."kind" = 'track'
  ) AS "t7"
  GROUP BY
    1
)
SELECT
  "t22"."value",
  "t22"."ended",
  "t22"."weight",
  "t22"."period",
  COUNT(*) AS "units"
FROM (
  SELECT
    CAST(DATE_DIFF(
      'SECOND',
      "t21"."start",
      CASE
        WHEN (
          "t21"."end" IS NOT NULL
        )
        AND (
          "t21"."end" <= MAKE_TIMESTAMP(2026, 2, 2, 2, 40, 0.0)
        )
        THEN "t21"."end"
        ELSE MAKE_TIMESTAMP(2026, 2, 2, 2, 40, 0.0)
      END
    ) AS DOUBLE) AS "value",
    COALESCE(
      (
        "t21"."end" IS NOT NULL
      )
      AND (
        "t21"."end" <= MAKE_TIMESTAMP(2026, 2, 2, 2, 40, 0.0)
      ),
      FALSE
    ) AS "ended",
    "t21"."weight",
    CAST(DATE_TRUNC(
      'WEEK',
      CASE
        WHEN "t21"."start" < MAKE_TIMESTAMP(2026, 10, 25, 1, 0, 0.0)
        THEN "t21"."start" + INTERVAL '7200' SECOND
        ELSE "t21"."start" + INTERVAL '3600' SECOND
      END
    ) AS DATE) AS "period"
  FROM (
    SELECT
      "t20".*
      EXCLUDE ("person_id_right")
    FROM (
      SELECT
        "t14"."person_id",
        "t14"."start",
        "t14"."weight",
        "t19"."person_id" AS "person_id_right",
        "t19"."end"
      FROM (
        SELECT
          "t11"."person_id",
          "t11"."start",
          1.0 AS "weight"
        FROM "t10" AS "t11"
      ) AS "t14"
      LEFT OUTER JOIN (
        SELECT
          "t17"."person_id",
          MIN("t17"."at") AS "end"
        FROM (
          SELECT
            *
          FROM (
            SELECT
              "t9"."person_id",
              "t9"."at",
              "t15"."start"
            FROM (
              SELECT
                "t6"."person_id",
                "t6"."event_time" AS "at"
              FROM "t5" AS "t6"
              WHERE
                "t6"."person_id" IS NOT NULL
                AND "t6"."event" IN ('account_closed')
                AND "t6"."kind" = 'track'
            ) AS "t9"
            INNER JOIN (
              SELECT
                *
              FROM "t10" AS "t11"
            ) AS "t15"
              ON "t9"."person_id" = "t15"."person_id"
          ) AS "t16"
          WHERE
            "t16"."at" >= "t16"."start"
        ) AS "t17"
        GROUP BY
          1
      ) AS "t19"
        ON "t14"."person_id" = "t19"."person_id"
    ) AS "t20"
  ) AS "t21"
  WHERE
    "t21"."start" >= MAKE_TIMESTAMP(2026, 10, 19, 0, 0, 0.0)
    AND "t21"."start" < MAKE_TIMESTAMP(2026, 11, 2, 0, 0, 0.0)
    AND "t21"."start" <= MAKE_TIMESTAMP(2026, 2, 2, 2, 40, 0.0)
) AS "t22"
GROUP BY
  1,
  2,
  3,
  4
