WITH "t5" AS (
  SELECT
    "t4"."person_id",
    "t2"."kind",
    "t2"."event",
    "t2"."event_time",
    "t2"."log_offset",
    "t2"."place",
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
  "t19"."by",
  "t19"."step",
  "t19"."former",
  "t19"."event",
  COUNT(*) AS "n",
  SUM("t19"."weight") AS "weight",
  SUM("t19"."weight" * "t19"."weight") AS "squares"
FROM (
  SELECT
    "t18"."by",
    "t18"."weight",
    "t18"."step" + 1 AS "step",
    "t18"."event" AS "former",
    "t18"."next" AS "event"
  FROM (
    SELECT
      "t17"."moment",
      "t17"."log_offset",
      "t17"."place",
      "t17"."person_id",
      "t17"."kind",
      "t17"."event",
      "t17"."by",
      "t17"."weight",
      "t17"."begun_moment",
      "t17"."begun_log_offset",
      "t17"."begun_place",
      "t17"."went",
      "t17"."former",
      "t17"."step",
      "t17"."next",
      MAX(CAST((
        "t17"."event" = 'seen'
      ) AND (
        "t17"."step" > 0
      ) AS BIGINT)) OVER (
        PARTITION BY "t17"."person_id"
        ORDER BY "t17"."moment" DESC, "t17"."log_offset" DESC, "t17"."place" DESC
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS "come"
    FROM (
      SELECT
        "t16"."moment",
        "t16"."log_offset",
        "t16"."place",
        "t16"."person_id",
        "t16"."kind",
        "t16"."event",
        "t16"."by",
        "t16"."weight",
        "t16"."begun_moment",
        "t16"."begun_log_offset",
        "t16"."begun_place",
        "t16"."went",
        "t16"."former",
        ROW_NUMBER() OVER (
          PARTITION BY "t16"."person_id"
          ORDER BY "t16"."moment" DESC, "t16"."log_offset" DESC, "t16"."place" DESC
          ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) - 1 AS "step",
        LEAD("t16"."event", 1) OVER (
          PARTITION BY "t16"."person_id"
          ORDER BY "t16"."moment" DESC, "t16"."log_offset" DESC, "t16"."place" DESC
          ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS "next"
      FROM (
        SELECT
          *
        FROM (
          SELECT
            "t14"."moment",
            "t14"."log_offset",
            "t14"."place",
            "t14"."person_id",
            "t14"."kind",
            "t14"."event",
            "t14"."by",
            "t14"."weight",
            "t14"."begun_moment",
            "t14"."begun_log_offset",
            "t14"."begun_place",
            "t14"."went",
            LAG("t14"."event", 1) OVER (
              PARTITION BY "t14"."person_id"
              ORDER BY "t14"."moment" DESC, "t14"."log_offset" DESC, "t14"."place" DESC
              ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ) AS "former"
          FROM (
            SELECT
              "t13"."moment",
              "t13"."log_offset",
              "t13"."place",
              "t13"."person_id",
              "t13"."kind",
              "t13"."event",
              "t13"."by",
              "t13"."weight",
              "t13"."begun_moment",
              "t13"."begun_log_offset",
              "t13"."begun_place",
              "t13"."begun_moment" - "t13"."moment" AS "went"
            FROM (
              SELECT
                "t9"."moment",
                "t9"."log_offset",
                "t9"."place",
                "t9"."person_id",
                "t9"."kind",
                "t9"."event",
                "t12"."by",
                "t12"."weight",
                "t12"."begun_moment",
                "t12"."begun_log_offset",
                "t12"."begun_place"
              FROM (
                SELECT
                  DATE_DIFF('MICROSECOND', MAKE_TIMESTAMP(1970, 1, 1, 0, 0, 0.0), "t6"."event_time") AS "moment",
                  "t6"."log_offset",
                  "t6"."place",
                  "t6"."person_id",
                  "t6"."kind",
                  "t6"."event"
                FROM "t5" AS "t6"
                WHERE
                  "t6"."event_time" >= MAKE_TIMESTAMP(2026, 10, 19, 0, 0, 0.0)
                  AND "t6"."event_time" < MAKE_TIMESTAMP(2026, 11, 2, 0, 0, 0.0)
              ) AS "t9"
              INNER JOIN (
                SELECT
                  "t10"."person_id",
                  "t10"."by",
                  "t10"."weight",
                  "t10"."moment" AS "begun_moment",
                  "t10"."log_offset" AS "begun_log_offset",
                  "t10"."place" AS "begun_place"
                FROM (
                  SELECT
                    "t8"."moment",
                    "t8"."log_offset",
                    "t8"."place",
                    "t8"."person_id",
                    "t8"."weight",
                    "t8"."by",
                    ROW_NUMBER() OVER (
                      PARTITION BY "t8"."person_id"
                      ORDER BY "t8"."moment" ASC, "t8"."log_offset" ASC, "t8"."place" ASC
                      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                    ) - 1 AS "nth"
                  FROM (
                    SELECT
                      DATE_DIFF('MICROSECOND', MAKE_TIMESTAMP(1970, 1, 1, 0, 0, 0.0), "t6"."event_time") AS "moment",
                      "t6"."log_offset",
                      "t6"."place",
                      "t6"."person_id",
                      1.0 AS "weight",
                      "t6"."p_surface" AS "by"
                    FROM "t5" AS "t6"
                    WHERE
                      "t6"."event_time" >= MAKE_TIMESTAMP(2026, 10, 19, 0, 0, 0.0)
                      AND "t6"."event_time" < MAKE_TIMESTAMP(2026, 11, 2, 0, 0, 0.0)
                      AND "t6"."kind" = 'track'
                      AND "t6"."event" = 'saved'
                  ) AS "t8"
                ) AS "t10"
                WHERE
                  "t10"."nth" = 0
              ) AS "t12"
                ON "t9"."person_id" = "t12"."person_id"
            ) AS "t13"
            WHERE
              (
                (
                  (
                    "t13"."begun_moment" - "t13"."moment"
                  ) > 0
                )
                OR (
                  (
                    (
                      "t13"."begun_moment" - "t13"."moment"
                    ) = 0
                  )
                  AND (
                    (
                      "t13"."log_offset" < "t13"."begun_log_offset"
                    )
                    OR (
                      (
                        "t13"."log_offset" = "t13"."begun_log_offset"
                      )
                      AND (
                        "t13"."place" <= "t13"."begun_place"
                      )
                    )
                  )
                )
              )
              AND (
                "t13"."begun_moment" - "t13"."moment"
              ) <= 7200000000
              AND "t13"."kind" = 'track'
              AND NOT (
                "t13"."event" IN ('ad_viewed')
              )
          ) AS "t14"
        ) AS "t15"
        WHERE
          (
            "t15"."former" IS NULL
          ) OR (
            "t15"."former" <> "t15"."event"
          )
      ) AS "t16"
    ) AS "t17"
  ) AS "t18"
  WHERE
    "t18"."come" = 0 AND "t18"."step" < 4
) AS "t19"
GROUP BY
  1,
  2,
  3,
  4
