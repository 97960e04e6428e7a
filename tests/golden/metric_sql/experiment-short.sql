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
)
SELECT
  "t20"."arm",
  "t20"."ready",
  "t20"."day",
  COUNT(*) AS "people",
  SUM("t20"."converted") AS "converted"
FROM (
  SELECT
    "t15"."arm",
    (
      "t15"."first_time" + INTERVAL '86400' SECOND
    ) <= MAKE_TIMESTAMP(2026, 2, 2, 2, 40, 0.0) AS "ready",
    CAST(FLOOR(
      (
        EPOCH(CAST("t15"."first_time" + INTERVAL '86400' SECOND AS TIMESTAMP)) - 1788213600
      ) / (
        86400
      )
    ) AS BIGINT) AS "day",
    CAST(COALESCE("t19"."converted", 0) AS BIGINT) AS "converted"
  FROM (
    SELECT
      *
    FROM (
      SELECT
        "t12"."person_id",
        MIN("t12"."event_time") AS "first_time",
        FIRST("t12"."arm" ORDER BY "t12"."event_time") AS "arm",
        COUNT(DISTINCT "t12"."arm") AS "arms_seen"
      FROM (
        SELECT
          "t11"."person_id",
          "t11"."event_time",
          COALESCE("t11"."arm", '') AS "arm"
        FROM (
          SELECT
            "t10"."person_id",
            "t10"."event_time",
            "t10"."properties" ->> '/variation_id' AS "arm"
          FROM (
            SELECT
              *
            FROM (
              SELECT
                *
              FROM "t5" AS "t6"
              WHERE
                "t6"."event" = 'Experiment Viewed'
                AND (
                  "t6"."properties" ->> '/experiment_id'
                ) = 'larger-pins'
            ) AS "t9"
            WHERE
              "t9"."event_time" >= MAKE_TIMESTAMP(2026, 8, 31, 22, 0, 0.0)
              AND "t9"."event_time" < MAKE_TIMESTAMP(2026, 2, 2, 2, 40, 0.0)
          ) AS "t10"
        ) AS "t11"
      ) AS "t12"
      GROUP BY
        1
    ) AS "t13"
    WHERE
      "t13"."first_time" < MAKE_TIMESTAMP(2026, 9, 14, 22, 0, 0.0)
      AND "t13"."arms_seen" = 1
  ) AS "t15"
  LEFT OUTER JOIN (
    SELECT
      "t17"."person_id",
      1 AS "converted"
    FROM (
      SELECT DISTINCT
        "t16"."person_id"
      FROM (
        SELECT
          "t15"."person_id",
          "t15"."first_time",
          "t15"."arm",
          "t15"."arms_seen",
          "t8"."deed_time"
        FROM (
          SELECT
            *
          FROM (
            SELECT
              "t12"."person_id",
              MIN("t12"."event_time") AS "first_time",
              FIRST("t12"."arm" ORDER BY "t12"."event_time") AS "arm",
              COUNT(DISTINCT "t12"."arm") AS "arms_seen"
            FROM (
              SELECT
                "t11"."person_id",
                "t11"."event_time",
                COALESCE("t11"."arm", '') AS "arm"
              FROM (
                SELECT
                  "t10"."person_id",
                  "t10"."event_time",
                  "t10"."properties" ->> '/variation_id' AS "arm"
                FROM (
                  SELECT
                    *
                  FROM (
                    SELECT
                      *
                    FROM "t5" AS "t6"
                    WHERE
                      "t6"."event" = 'Experiment Viewed'
                      AND (
                        "t6"."properties" ->> '/experiment_id'
                      ) = 'larger-pins'
                  ) AS "t9"
                  WHERE
                    "t9"."event_time" >= MAKE_TIMESTAMP(2026, 8, 31, 22, 0, 0.0)
                    AND "t9"."event_time" < MAKE_TIMESTAMP(2026, 2, 2, 2, 40, 0.0)
                ) AS "t10"
              ) AS "t11"
            ) AS "t12"
            GROUP BY
              1
          ) AS "t13"
          WHERE
            "t13"."first_time" < MAKE_TIMESTAMP(2026, 9, 14, 22, 0, 0.0)
            AND "t13"."arms_seen" = 1
        ) AS "t15"
        INNER JOIN (
          SELECT
            "t6"."person_id",
            "t6"."event_time" AS "deed_time"
          FROM "t5" AS "t6"
          WHERE
            "t6"."kind" = 'track' AND "t6"."event" IN ('pin_saved')
        ) AS "t8"
          ON "t15"."person_id" = "t8"."person_id"
      ) AS "t16"
      WHERE
        "t16"."deed_time" >= (
          "t16"."first_time" + INTERVAL '0' SECOND
        )
        AND "t16"."deed_time" < (
          "t16"."first_time" + INTERVAL '86400' SECOND
        )
    ) AS "t17"
  ) AS "t19"
    ON "t15"."person_id" = "t19"."person_id"
) AS "t20"
GROUP BY
  1,
  2,
  3
