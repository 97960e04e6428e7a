SELECT
  "t10"."period",
  COUNT(*) AS "n",
  SUM("t10"."v0") AS "s0",
  SUM("t10"."v1") AS "s1",
  SUM("t10"."v0" * "t10"."v0") AS "q00",
  SUM("t10"."v0" * "t10"."v1") AS "q01",
  SUM("t10"."v1" * "t10"."v1") AS "q11"
FROM (
  SELECT
    "t9"."period",
    "t9"."v0",
    "t9"."v1"
  FROM (
    SELECT
      "t8"."period",
      "t8"."unit",
      SUM("t8"."v0") AS "v0",
      SUM("t8"."v1") AS "v1"
    FROM (
      SELECT
        *
      FROM (
        SELECT
          NULLIF("t6"."properties" ->> '/creator_id', '') AS "unit",
          CAST(DATE_TRUNC(
            'WEEK',
            CASE
              WHEN "t6"."event_time" < MAKE_TIMESTAMP(2026, 10, 25, 1, 0, 0.0)
              THEN "t6"."event_time" + INTERVAL '7200' SECOND
              ELSE "t6"."event_time" + INTERVAL '3600' SECOND
            END
          ) AS DATE) AS "period",
          CASE
            WHEN "t6"."event" IN ('pin_opened', 'pin_saved', 'pin_shared')
            AND (
              "t6"."kind" = 'track'
            )
            THEN CASE
              WHEN "t6"."event" = 'pin_opened'
              THEN 1.0
              WHEN "t6"."event" = 'pin_saved'
              THEN 3.0
              WHEN "t6"."event" = 'pin_shared'
              THEN 4.0
              ELSE 1.0
            END
            ELSE 0
          END AS "v0",
          CAST(CASE
            WHEN "t6"."event" IN ('pin_viewed') AND (
              "t6"."kind" = 'track'
            )
            THEN 1
            ELSE 0
          END AS DOUBLE) AS "v1"
        FROM (
          SELECT
            *
          FROM (
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
          ) AS "t5"
          WHERE
            "t5"."event_time" >= MAKE_TIMESTAMP(2026, 10, 19, 0, 0, 0.0)
            AND "t5"."event_time" < MAKE_TIMESTAMP(2026, 11, 2, 0, 0, 0.0)
            AND (
              (
                "t5"."event" IN ('pin_opened', 'pin_saved', 'pin_shared')
                AND (
                  "t5"."kind" = 'track'
                )
              )
              OR (
                "t5"."event" IN ('pin_viewed') AND (
                  "t5"."kind" = 'track'
                )
              )
            )
        ) AS "t6"
      ) AS "t7"
      WHERE
        "t7"."unit" IS NOT NULL
    ) AS "t8"
    GROUP BY
      1,
      2
  ) AS "t9"
  WHERE
    (
      "t9"."v0" <> 0
    ) OR (
      "t9"."v1" <> 0
    )
) AS "t10"
GROUP BY
  1
