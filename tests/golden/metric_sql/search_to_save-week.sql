SELECT
  "t9"."period",
  COUNT(*) AS "n",
  SUM("t9"."v0") AS "s0",
  SUM("t9"."v1") AS "s1",
  SUM("t9"."v0" * "t9"."v0") AS "q00",
  SUM("t9"."v0" * "t9"."v1") AS "q01",
  SUM("t9"."v1" * "t9"."v1") AS "q11"
FROM (
  SELECT
    *
  FROM (
    SELECT
      "t7"."period",
      CASE
        WHEN CAST(CASE WHEN "t7"."v1" >= 1 THEN 1 ELSE 0 END AS DOUBLE) > 0
        THEN CAST(CASE WHEN "t7"."v0" >= 1 THEN 1 ELSE 0 END AS DOUBLE)
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
              WHEN "t5"."event_time" < MAKE_TIMESTAMP(2026, 10, 25, 1, 0, 0.0)
              THEN "t5"."event_time" + INTERVAL '7200' SECOND
              ELSE "t5"."event_time" + INTERVAL '3600' SECOND
            END
          ) AS DATE) AS "period",
          CAST(CASE
            WHEN "t5"."event" IN ('pin_saved') AND (
              "t5"."kind" = 'track'
            )
            THEN 1
            ELSE 0
          END AS DOUBLE) AS "v0",
          CAST(CASE
            WHEN "t5"."event" IN ('search_made') AND (
              "t5"."kind" = 'track'
            )
            THEN 1
            ELSE 0
          END AS DOUBLE) AS "v1"
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
              "t5"."event" IN ('pin_saved') AND (
                "t5"."kind" = 'track'
              )
            )
            OR (
              "t5"."event" IN ('search_made') AND (
                "t5"."kind" = 'track'
              )
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
      "t8"."v0" <> 0
    ) OR (
      "t8"."v1" <> 0
    )
) AS "t9"
GROUP BY
  1
