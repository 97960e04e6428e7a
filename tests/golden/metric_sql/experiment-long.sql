SELECT
  "t22"."arm",
  "t22"."ready",
  "t22"."day",
  COUNT(*) AS "people",
  SUM("t22"."converted") AS "converted"
FROM (
  SELECT
    "t17"."arm",
    (
      "t17"."first_time" + INTERVAL '2419200' SECOND
    ) <= MAKE_TIMESTAMP(2026, 2, 2, 2, 40, 0.0) AS "ready",
    CAST(FLOOR(
      (
        EPOCH(CAST("t17"."first_time" + INTERVAL '2419200' SECOND AS TIMESTAMP)) - 1788213600
      ) / (
        86400
      )
    ) AS BIGINT) AS "day",
    CAST(COALESCE("t21"."converted", 0) AS BIGINT) AS "converted"
  FROM (
    SELECT
      *
    FROM (
      SELECT
        "t14"."person_id",
        MIN("t14"."event_time") AS "first_time",
        FIRST("t14"."arm" ORDER BY "t14"."event_time") AS "arm",
        COUNT(DISTINCT "t14"."arm") AS "arms_seen"
      FROM (
        SELECT
          "t13"."person_id",
          "t13"."event_time",
          COALESCE("t13"."arm", '') AS "arm"
        FROM (
          SELECT
            "t12"."person_id",
            "t12"."event_time",
            "t12"."properties" ->> '/variation_id' AS "arm"
          FROM (
            SELECT
              *
            FROM (
              SELECT
                *
              FROM (
                SELECT
                  "t6"."person_id",
                  "t3"."kind",
                  "t3"."event",
                  "t3"."source",
                  "t3"."event_time",
                  "t3"."properties",
                  "t3"."p_revenue",
                  "t3"."p_currency",
                  "t3"."p_surface"
                FROM "events" AS "t3"
                INNER JOIN (
                  SELECT
                    "t2"."key" AS "identifier",
                    "t2"."person_id"
                  FROM "identifiers" AS "t2"
                ) AS "t6"
                  ON "t3"."identifier" = "t6"."identifier"
              ) AS "t7"
              WHERE
                "t7"."event" = 'Experiment Viewed'
                AND (
                  "t7"."properties" ->> '/experiment_id'
                ) = 'larger-pins'
            ) AS "t10"
            WHERE
              "t10"."event_time" >= MAKE_TIMESTAMP(2026, 8, 31, 22, 0, 0.0)
              AND "t10"."event_time" < MAKE_TIMESTAMP(2026, 2, 2, 2, 40, 0.0)
          ) AS "t12"
        ) AS "t13"
      ) AS "t14"
      GROUP BY
        1
    ) AS "t15"
    WHERE
      "t15"."first_time" < MAKE_TIMESTAMP(2026, 9, 14, 22, 0, 0.0)
      AND "t15"."arms_seen" = 1
  ) AS "t17"
  LEFT OUTER JOIN (
    SELECT
      "t19"."person_id",
      1 AS "converted"
    FROM (
      SELECT DISTINCT
        "t18"."person_id"
      FROM (
        SELECT
          "t17"."person_id",
          "t17"."first_time",
          "t17"."arm",
          "t17"."arms_seen",
          "t11"."deed_time"
        FROM (
          SELECT
            *
          FROM (
            SELECT
              "t14"."person_id",
              MIN("t14"."event_time") AS "first_time",
              FIRST("t14"."arm" ORDER BY "t14"."event_time") AS "arm",
              COUNT(DISTINCT "t14"."arm") AS "arms_seen"
            FROM (
              SELECT
                "t13"."person_id",
                "t13"."event_time",
                COALESCE("t13"."arm", '') AS "arm"
              FROM (
                SELECT
                  "t12"."person_id",
                  "t12"."event_time",
                  "t12"."properties" ->> '/variation_id' AS "arm"
                FROM (
                  SELECT
                    *
                  FROM (
                    SELECT
                      *
                    FROM (
                      SELECT
                        "t6"."person_id",
                        "t3"."kind",
                        "t3"."event",
                        "t3"."source",
                        "t3"."event_time",
                        "t3"."properties",
                        "t3"."p_revenue",
                        "t3"."p_currency",
                        "t3"."p_surface"
                      FROM "events" AS "t3"
                      INNER JOIN (
                        SELECT
                          "t2"."key" AS "identifier",
                          "t2"."person_id"
                        FROM "identifiers" AS "t2"
                      ) AS "t6"
                        ON "t3"."identifier" = "t6"."identifier"
                    ) AS "t7"
                    WHERE
                      "t7"."event" = 'Experiment Viewed'
                      AND (
                        "t7"."properties" ->> '/experiment_id'
                      ) = 'larger-pins'
                  ) AS "t10"
                  WHERE
                    "t10"."event_time" >= MAKE_TIMESTAMP(2026, 8, 31, 22, 0, 0.0)
                    AND "t10"."event_time" < MAKE_TIMESTAMP(2026, 2, 2, 2, 40, 0.0)
                ) AS "t12"
              ) AS "t13"
            ) AS "t14"
            GROUP BY
              1
          ) AS "t15"
          WHERE
            "t15"."first_time" < MAKE_TIMESTAMP(2026, 9, 14, 22, 0, 0.0)
            AND "t15"."arms_seen" = 1
        ) AS "t17"
        INNER JOIN (
          SELECT
            "t8"."person_id",
            "t8"."start_time" AS "deed_time"
          FROM (
            SELECT
              "t6"."person_id",
              "t4"."start_time",
              "t4"."actions",
              "t4"."discoveries"
            FROM "sessions" AS "t4"
            INNER JOIN (
              SELECT
                "t2"."key" AS "identifier",
                "t2"."person_id"
              FROM "identifiers" AS "t2"
            ) AS "t6"
              ON "t4"."identifier" = "t6"."identifier"
          ) AS "t8"
          WHERE
            "t8"."actions" > 0
        ) AS "t11"
          ON "t17"."person_id" = "t11"."person_id"
      ) AS "t18"
      WHERE
        "t18"."deed_time" >= (
          "t18"."first_time" + INTERVAL '1814400' SECOND
        )
        AND "t18"."deed_time" < (
          "t18"."first_time" + INTERVAL '2419200' SECOND
        )
    ) AS "t19"
  ) AS "t21"
    ON "t17"."person_id" = "t21"."person_id"
) AS "t22"
GROUP BY
  1,
  2,
  3
