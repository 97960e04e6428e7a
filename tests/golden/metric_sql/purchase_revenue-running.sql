WITH "t12" AS (
  SELECT
    "t10"."message_hi",
    "t10"."message_lo",
    "t10"."environment",
    "t10"."identifier",
    "t10"."account_id",
    "t10"."order_id",
    "t10"."amount_micros",
    "t10"."currency",
    "t10"."order_time",
    "t10"."purposes",
    "t10"."traffic",
    "t10"."id",
    "t10"."key",
    "t10"."person_id",
    ROW_NUMBER() OVER (
      PARTITION BY COALESCE("t10"."order_id", "t10"."id")
      ORDER BY "t10"."order_time" ASC, "t10"."id" ASC
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) - 1 AS "sent",
    "t10"."order_time" AS "time"
  FROM (
    SELECT
      "t8"."message_hi",
      "t8"."message_lo",
      "t8"."environment",
      "t8"."identifier",
      "t8"."account_id",
      "t8"."order_id",
      "t8"."amount_micros",
      "t8"."currency",
      "t8"."order_time",
      "t8"."purposes",
      "t8"."traffic",
      "t8"."id",
      "t5"."key",
      "t5"."person_id"
    FROM (
      SELECT
        "t2"."message_hi",
        "t2"."message_lo",
        "t2"."environment",
        "t2"."identifier",
        "t2"."account_id",
        "t2"."order_id",
        "t2"."amount_micros",
        "t2"."currency",
        "t2"."order_time",
        "t2"."purposes",
        "t2"."traffic",
        'e' || CAST("t2"."message_hi" AS TEXT) || '.' || CAST("t2"."message_lo" AS TEXT) AS "id"
      FROM "orders" AS "t2"
    ) AS "t8"
    LEFT OUTER JOIN (
      SELECT
        "t1"."key",
        "t1"."person_id"
      FROM "identifiers" AS "t1"
    ) AS "t5"
      ON "t8"."identifier" = "t5"."key"
  ) AS "t10"
), "t20" AS (
  SELECT
    "t11"."id" AS "offline_id",
    "t17"."online_id"
  FROM (
    SELECT
      "t7"."purchase_id" AS "id",
      "t7"."order_id",
      "t7"."person_id",
      "t7"."account_id",
      "t7"."amount_micros",
      "t7"."currency",
      "t7"."purchase_time" AS "time",
      CAST(DATE_TRUNC('DAY', "t7"."purchase_time") AS DATE) AS "day",
      "t7"."store"
    FROM (
      SELECT
        "t3"."purchase_id",
        "t3"."order_id",
        "t3"."account_id",
        "t3"."item_id",
        "t3"."user_key",
        "t3"."store",
        "t3"."quantity",
        "t3"."amount_micros",
        "t3"."currency",
        "t3"."purchase_time",
        "t3"."known_time",
        "t3"."sources",
        "t5"."key",
        "t5"."person_id"
      FROM "purchases" AS "t3"
      LEFT OUTER JOIN (
        SELECT
          "t1"."key",
          "t1"."person_id"
        FROM "identifiers" AS "t1"
      ) AS "t5"
        ON "t3"."user_key" = "t5"."key"
    ) AS "t7"
  ) AS "t11"
  INNER JOIN (
    SELECT
      "t13"."id" AS "online_id",
      "t13"."order_id"
    FROM "t12" AS "t13"
    WHERE
      "t13"."sent" = 0 AND "t13"."order_id" IS NOT NULL
  ) AS "t17"
    ON "t11"."order_id" = "t17"."order_id"
), "t23" AS (
  SELECT
    "t11"."id",
    "t11"."order_id",
    "t11"."person_id",
    "t11"."account_id",
    "t11"."amount_micros",
    "t11"."currency",
    "t11"."time",
    "t11"."day",
    "t11"."store"
  FROM (
    SELECT
      "t7"."purchase_id" AS "id",
      "t7"."order_id",
      "t7"."person_id",
      "t7"."account_id",
      "t7"."amount_micros",
      "t7"."currency",
      "t7"."purchase_time" AS "time",
      CAST(DATE_TRUNC('DAY', "t7"."purchase_time") AS DATE) AS "day",
      "t7"."store"
    FROM (
      SELECT
        "t3"."purchase_id",
        "t3"."order_id",
        "t3"."account_id",
        "t3"."item_id",
        "t3"."user_key",
        "t3"."store",
        "t3"."quantity",
        "t3"."amount_micros",
        "t3"."currency",
        "t3"."purchase_time",
        "t3"."known_time",
        "t3"."sources",
        "t5"."key",
        "t5"."person_id"
      FROM "purchases" AS "t3"
      LEFT OUTER JOIN (
        SELECT
          "t1"."key",
          "t1"."person_id"
        FROM "identifiers" AS "t1"
      ) AS "t5"
        ON "t3"."user_key" = "t5"."key"
    ) AS "t7"
  ) AS "t11"
  ANTI JOIN "t20" AS "t22"
    ON "t11"."id" = "t22"."offline_id"
), "t35" AS (
  SELECT
    "t34"."offline_id",
    "t32"."online_id"
  FROM (
    SELECT
      "t28"."person_id",
      "t28"."amount_micros",
      "t28"."currency",
      "t28"."day",
      ROW_NUMBER() OVER (
        PARTITION BY "t28"."person_id", "t28"."amount_micros", "t28"."currency", "t28"."day"
        ORDER BY "t28"."order_id" IS NULL ASC, "t28"."time" ASC, "t28"."id" ASC
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      ) - 1 AS "place",
      "t28"."id" AS "offline_id"
    FROM (
      SELECT
        *
      FROM "t23" AS "t25"
      WHERE
        "t25"."order_id" IS NULL
        AND "t25"."person_id" IS NOT NULL
        AND "t25"."amount_micros" IS NOT NULL
        AND "t25"."currency" IS NOT NULL
    ) AS "t28"
  ) AS "t34"
  INNER JOIN (
    SELECT
      "t26"."person_id",
      "t26"."amount_micros",
      "t26"."currency",
      "t26"."day",
      ROW_NUMBER() OVER (
        PARTITION BY "t26"."person_id", "t26"."amount_micros", "t26"."currency", "t26"."day"
        ORDER BY "t26"."order_id" IS NULL ASC, "t26"."time" ASC, "t26"."id" ASC
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      ) - 1 AS "place",
      "t26"."id" AS "online_id"
    FROM (
      SELECT
        *
      FROM (
        SELECT
          "t19"."id",
          "t19"."order_id",
          "t19"."person_id",
          "t19"."account_id",
          "t19"."amount_micros",
          "t19"."currency",
          "t19"."time",
          "t19"."day"
        FROM (
          SELECT
            "t13"."id",
            "t13"."order_id",
            "t13"."person_id",
            "t13"."account_id",
            "t13"."amount_micros",
            "t13"."currency",
            "t13"."time",
            CAST(DATE_TRUNC('DAY', "t13"."time") AS DATE) AS "day"
          FROM "t12" AS "t13"
          WHERE
            "t13"."sent" = 0
        ) AS "t19"
        ANTI JOIN "t20" AS "t22"
          ON "t19"."id" = "t22"."online_id"
      ) AS "t24"
      WHERE
        "t24"."person_id" IS NOT NULL
        AND "t24"."amount_micros" IS NOT NULL
        AND "t24"."currency" IS NOT NULL
    ) AS "t26"
  ) AS "t32"
    ON "t34"."person_id" = "t32"."person_id"
    AND "t34"."amount_micros" = "t32"."amount_micros"
    AND "t34"."currency" = "t32"."currency"
    AND "t34"."day" = "t32"."day"
    AND "t34"."place" = "t32"."place"
), "t44" AS (
  SELECT
    *
  FROM (
    SELECT
      *
    FROM "t20" AS "t21"
    UNION ALL
    SELECT
      *
    FROM "t35" AS "t36"
  ) AS "t37"
  UNION ALL
  SELECT
    *
  FROM (
    SELECT
      "t33"."offline_id",
      "t42"."online_id"
    FROM (
      SELECT
        "t27"."person_id",
        "t27"."amount_micros",
        "t27"."currency",
        "t27"."day",
        ROW_NUMBER() OVER (
          PARTITION BY "t27"."person_id", "t27"."amount_micros", "t27"."currency", "t27"."day"
          ORDER BY "t27"."order_id" IS NULL ASC, "t27"."time" ASC, "t27"."id" ASC
          ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) - 1 AS "place",
        "t27"."id" AS "offline_id"
      FROM (
        SELECT
          *
        FROM "t23" AS "t25"
        WHERE
          "t25"."order_id" IS NOT NULL
          AND "t25"."person_id" IS NOT NULL
          AND "t25"."amount_micros" IS NOT NULL
          AND "t25"."currency" IS NOT NULL
      ) AS "t27"
    ) AS "t33"
    INNER JOIN (
      SELECT
        "t40"."person_id",
        "t40"."amount_micros",
        "t40"."currency",
        "t40"."day",
        ROW_NUMBER() OVER (
          PARTITION BY "t40"."person_id", "t40"."amount_micros", "t40"."currency", "t40"."day"
          ORDER BY "t40"."order_id" IS NULL ASC, "t40"."time" ASC, "t40"."id" ASC
          ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) - 1 AS "place",
        "t40"."id" AS "online_id"
      FROM (
        SELECT
          *
        FROM (
          SELECT
            "t19"."id",
            "t19"."order_id",
            "t19"."person_id",
            "t19"."account_id",
            "t19"."amount_micros",
            "t19"."currency",
            "t19"."time",
            "t19"."day"
          FROM (
            SELECT
              "t13"."id",
              "t13"."order_id",
              "t13"."person_id",
              "t13"."account_id",
              "t13"."amount_micros",
              "t13"."currency",
              "t13"."time",
              CAST(DATE_TRUNC('DAY', "t13"."time") AS DATE) AS "day"
            FROM "t12" AS "t13"
            WHERE
              "t13"."sent" = 0
          ) AS "t19"
          ANTI JOIN "t20" AS "t22"
            ON "t19"."id" = "t22"."online_id"
          ANTI JOIN "t35" AS "t38"
            ON "t19"."id" = "t38"."online_id"
        ) AS "t39"
        WHERE
          "t39"."order_id" IS NULL
          AND "t39"."person_id" IS NOT NULL
          AND "t39"."amount_micros" IS NOT NULL
          AND "t39"."currency" IS NOT NULL
      ) AS "t40"
    ) AS "t42"
      ON "t33"."person_id" = "t42"."person_id"
      AND "t33"."amount_micros" = "t42"."amount_micros"
      AND "t33"."currency" = "t42"."currency"
      AND "t33"."day" = "t42"."day"
      AND "t33"."place" = "t42"."place"
  ) AS "t43"
), "t59" AS (
  SELECT
    "t58"."period",
    "t58"."person_id",
    SUM("t58"."v0") AS "v0"
  FROM (
    SELECT
      "t57"."person_id",
      CAST(DATE_TRUNC(
        'DAY',
        CASE
          WHEN "t57"."time" < MAKE_TIMESTAMP(2026, 10, 25, 1, 0, 0.0)
          THEN "t57"."time" + INTERVAL '7200' SECOND
          ELSE "t57"."time" + INTERVAL '3600' SECOND
        END
      ) AS DATE) AS "period",
      CASE
        WHEN TRUE AND (
          COALESCE("t57"."currency", '') = ''
        )
        THEN COALESCE(CAST("t57"."amount_micros" AS DOUBLE), 0)
        ELSE 0
      END AS "v0"
    FROM (
      SELECT
        *
      FROM (
        SELECT
          "t55"."origin",
          "t55"."id",
          "t55"."order_id",
          "t55"."person_id",
          "t55"."account_id",
          "t55"."amount_micros",
          "t55"."currency",
          "t55"."time",
          "t55"."day",
          "t55"."store",
          "t55"."told_twice"
        FROM (
          SELECT
            "t54".*
            EXCLUDE ("twin")
          FROM (
            SELECT
              "t53"."id",
              "t53"."order_id",
              "t53"."person_id",
              "t53"."account_id",
              "t53"."amount_micros",
              "t53"."currency",
              "t53"."time",
              "t53"."day",
              "t53"."origin",
              "t53"."store",
              "t53"."twin",
              COALESCE("t53"."twin", FALSE) AS "told_twice"
            FROM (
              SELECT
                "t52".*
                EXCLUDE ("online_id")
              FROM (
                SELECT
                  "t18"."id",
                  "t18"."order_id",
                  "t18"."person_id",
                  "t18"."account_id",
                  "t18"."amount_micros",
                  "t18"."currency",
                  "t18"."time",
                  "t18"."day",
                  "t18"."origin",
                  "t18"."store",
                  "t50"."online_id",
                  "t50"."twin"
                FROM (
                  SELECT
                    "t13"."id",
                    "t13"."order_id",
                    "t13"."person_id",
                    "t13"."account_id",
                    "t13"."amount_micros",
                    "t13"."currency",
                    "t13"."time",
                    CAST(DATE_TRUNC('DAY', "t13"."time") AS DATE) AS "day",
                    'online' AS "origin",
                    CAST(NULL AS TEXT) AS "store"
                  FROM "t12" AS "t13"
                  WHERE
                    "t13"."sent" = 0
                ) AS "t18"
                LEFT OUTER JOIN (
                  SELECT
                    "t47"."online_id",
                    TRUE AS "twin"
                  FROM (
                    SELECT DISTINCT
                      "t45"."online_id"
                    FROM "t44" AS "t45"
                  ) AS "t47"
                ) AS "t50"
                  ON "t18"."id" = "t50"."online_id"
              ) AS "t52"
            ) AS "t53"
          ) AS "t54"
        ) AS "t55"
      ) AS "t56"
      UNION ALL
      SELECT
        *
      FROM (
        SELECT
          'offline' AS "origin",
          "t49"."id",
          "t49"."order_id",
          "t49"."person_id",
          "t49"."account_id",
          "t49"."amount_micros",
          "t49"."currency",
          "t49"."time",
          "t49"."day",
          "t49"."store",
          FALSE AS "told_twice"
        FROM (
          SELECT
            "t11"."id",
            "t11"."order_id",
            "t11"."person_id",
            "t11"."account_id",
            "t11"."amount_micros",
            "t11"."currency",
            "t11"."time",
            "t11"."day",
            "t11"."store"
          FROM (
            SELECT
              "t7"."purchase_id" AS "id",
              "t7"."order_id",
              "t7"."person_id",
              "t7"."account_id",
              "t7"."amount_micros",
              "t7"."currency",
              "t7"."purchase_time" AS "time",
              CAST(DATE_TRUNC('DAY', "t7"."purchase_time") AS DATE) AS "day",
              "t7"."store"
            FROM (
              SELECT
                "t3"."purchase_id",
                "t3"."order_id",
                "t3"."account_id",
                "t3"."item_id",
                "t3"."user_key",
                "t3"."store",
                "t3"."quantity",
                "t3"."amount_micros",
                "t3"."currency",
                "t3"."purchase_time",
                "t3"."known_time",
                "t3"."sources",
                "t5"."key",
                "t5"."person_id"
              FROM "purchases" AS "t3"
              LEFT OUTER JOIN (
                SELECT
                  "t1"."key",
                  "t1"."person_id"
                FROM "identifiers" AS "t1"
              ) AS "t5"
                ON "t3"."user_key" = "t5"."key"
            ) AS "t7"
          ) AS "t11"
          ANTI JOIN "t44" AS "t46"
            ON "t11"."id" = "t46"."offline_id"
        ) AS "t49"
      ) AS "t51"
    ) AS "t57"
    WHERE
      "t57"."person_id" IS NOT NULL
      AND "t57"."time" >= MAKE_TIMESTAMP(2026, 10, 19, 0, 0, 0.0)
      AND "t57"."time" < MAKE_TIMESTAMP(2026, 11, 2, 0, 0, 0.0)
      AND TRUE
  ) AS "t58"
  GROUP BY
    1,
    2
)
SELECT
  "t65"."period",
  "t65"."side",
  COUNT(*) AS "n",
  SUM("t65"."v0") AS "s0",
  SUM("t65"."v0" * "t65"."v0") AS "q00"
FROM (
  SELECT
    "t64"."period",
    "t64"."side",
    "t64"."v0"
  FROM (
    SELECT
      "t63"."period",
      "t63"."side",
      "t63"."person_id",
      SUM("t63"."v0") AS "v0"
    FROM (
      SELECT
        *
      FROM (
        SELECT
          "t60"."period",
          "t60"."person_id",
          0 AS "side",
          COALESCE(
            SUM("t60"."v0") OVER (
              PARTITION BY "t60"."person_id"
              ORDER BY "t60"."period" ASC
              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 preceding
            ),
            0.0
          ) AS "v0"
        FROM "t59" AS "t60"
      ) AS "t61"
      UNION ALL
      SELECT
        *
      FROM (
        SELECT
          "t60"."period",
          "t60"."person_id",
          1 AS "side",
          COALESCE(
            SUM("t60"."v0") OVER (
              PARTITION BY "t60"."person_id"
              ORDER BY "t60"."period" ASC
              ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ),
            0.0
          ) AS "v0"
        FROM "t59" AS "t60"
      ) AS "t62"
    ) AS "t63"
    GROUP BY
      1,
      2,
      3
  ) AS "t64"
  WHERE
    "t64"."v0" <> 0
) AS "t65"
GROUP BY
  1,
  2
