SELECT
  "t9"."dimension",
  COUNT(*) AS "n",
  SUM("t9"."v0") AS "s0",
  SUM("t9"."v1") AS "s1",
  SUM("t9"."v0" * "t9"."v0") AS "q00",
  SUM("t9"."v0" * "t9"."v1") AS "q01",
  SUM("t9"."v1" * "t9"."v1") AS "q11"
FROM (
  SELECT
    "t8"."dimension",
    "t8"."v0",
    "t8"."v1"
  FROM (
    SELECT
      "t7"."dimension",
      "t7"."person_id",
      SUM("t7"."v0") AS "v0",
      SUM("t7"."v1") AS "v1"
    FROM (
      SELECT
        "t6"."person_id",
        "t6"."properties" ->> '/creator_id' AS "dimension",
        CAST(CASE
          WHEN "t6"."event" IN ('pin_saved') AND (
            "t6"."kind" = 'track'
          )
          THEN 1
          ELSE 0
        END AS DOUBLE) AS "v0",
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
              "t5"."event" IN ('pin_saved') AND (
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
    GROUP BY
      1,
      2
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
