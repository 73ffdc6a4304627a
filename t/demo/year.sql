-- A year that never was, for the demo: behind store-1.sql, in an empty file.
-- Four checks each 30 s, their troubles, and what buckets make of them.

ALTER TABLE hours ADD COLUMN latency TEXT;
ALTER TABLE days ADD COLUMN latency TEXT;
ALTER TABLE results ADD COLUMN interval_ms INTEGER;
PRAGMA user_version = 2;

BEGIN;

CREATE TEMP TABLE clock AS SELECT 0 + strftime('%s', 'now') AS now;

INSERT INTO monitors VALUES (1, 'year', 'A year, made up');
INSERT INTO checks SELECT column1, 1, column2, column3, column4, '', now
    FROM clock, (VALUES (1, 'www', 'Website', 'Shop'),
                        (2, 'checkout', 'Checkout', 'Shop'),
                        (3, 'api', 'API', 'Services'),
                        (4, 'search', 'Search', 'Services'));

CREATE TEMP TABLE base AS SELECT column1 AS id, column2 AS us
    FROM (VALUES (1, 230), (2, 260), (3, 210), (4, 240));

-- begin, in hours ago, and length, in minutes
CREATE TEMP TABLE trouble AS SELECT column1 AS id, column4 AS state,
    column5 AS why, now - 3600 * column2 AS since,
    now - 3600 * column2 + 60 * column3 AS until
    FROM clock, (VALUES
        (1, 483, 7, 'down', 'status 502, expected 200-299'),
        (1, 3, 4, 'degraded', 'latency 2.31s, expected < 2s'),
        (2, 5208, 95, 'down', 'could not connect: Connection refused'),
        (2, 1470, 200, 'down', 'status 502, expected 200-299'),
        (2, 291, 14, 'down', 'status 503, expected 200-299'),
        (2, 50, 2, 'timeout', 'no answer within 10s'),
        (3, 1802, 26, 'down', 'json $.status: "starting", expected == "ok"'),
        (3, 790, 50, 'degraded', 'latency 2.46s, expected < 2s'),
        (3, 119, 130, 'degraded', 'latency 3.02s, expected < 2s'),
        (4, 2010, 1320, 'degraded', 'latency 2.15s, expected < 2s'),
        (4, 1010, 33, 'down', 'could not connect: Connection refused'),
        (4, 26, 45, 'degraded', 'latency 2.60s, expected < 2s'));

-- nothing ran, and nobody knows
INSERT INTO trouble SELECT id, 'unknown', NULL, now - 3600 * 1130,
    now - 3600 * 1121 FROM clock, base;

CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (
    SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1440) SELECT i FROM n;

CREATE TEMP TABLE bucket AS
    SELECT b.id, us, at, s, sum(iif(state = 'degraded', part, 0)) AS degraded,
           sum(iif(state = 'timeout', part, 0)) AS timeout,
           sum(iif(state = 'down', part, 0)) AS down,
           sum(iif(state = 'unknown', part, 0)) AS unknown
    FROM (SELECT b.id, us, at, s, state,
                 ifnull(min(until, at + s) - max(since, at), 0) AS part
          FROM (SELECT id, us, column1 AS s, (now / column1 - i) * column1 AS at
                FROM clock, base, n,
                     (VALUES (60, 1440), (3600, 744), (86400, 365))
                WHERE i <= column2) AS b
          LEFT JOIN trouble AS t
          ON t.id = b.id AND since < at + s AND until > at) AS b
    GROUP BY b.id, s, at;

-- slower by day than by night, and while degraded
CREATE TEMP TABLE made AS SELECT *,
    s - degraded - timeout - down - unknown AS up,
    (s - timeout - down - unknown) / 30 AS results,
    us * (90 + 2 * iif(s < 86400, 12 - abs(at / 3600 % 24 - 14), 6)
          + (at / s * 7919 + b.id * 104729) % 23) / 100
        + 2300000 * degraded / s AS mean
    FROM bucket AS b;

INSERT INTO minutes (check_id, at, up, degraded, bot_detected, timeout, down,
                     unknown, maintenance, results, sum_us, min_us, max_us)
    SELECT id, at, up, degraded, 0, timeout, down, unknown, 0, results,
           results * mean, mean * 9 / 10, mean * 11 / 10 FROM made WHERE s = 60;

CREATE TEMP TABLE long AS SELECT *, json_object(
        (mean * 7 / 10) || '', results / 4, (mean * 9 / 10) || '', results / 4,
        mean || '', results / 3, (mean * 2) || '', results / 9,
        (mean * 4) || '', results / 60) AS latency FROM made;

INSERT INTO hours (check_id, at, up, degraded, bot_detected, timeout, down,
                   unknown, maintenance, results, sum_us, min_us, max_us,
                   latency)
    SELECT id, at, up, degraded, 0, timeout, down, unknown, 0, results,
           results * mean, mean * 7 / 10, mean * 5, latency
    FROM long WHERE s = 3600;

INSERT INTO days (check_id, at, up, degraded, bot_detected, timeout, down,
                  unknown, maintenance, results, sum_us, min_us, max_us,
                  latency)
    SELECT id, at, up, degraded, 0, timeout, down, unknown, 0, results,
           results * mean, mean * 7 / 10, mean * 6, latency
    FROM long WHERE s = 86400;

INSERT INTO results (check_id, at_ms, state, http_status, latency_us, ended_ms)
    SELECT id, (now - 30 * i) * 1000, 'up', 200, us, (now - 30 * i + 1) * 1000
    FROM clock, base, n WHERE i <= 60;

INSERT INTO events SELECT id, (now - 365 * 86400) * 1000, NULL, 'unknown',
    'up', NULL FROM clock, base;
INSERT INTO events SELECT id, since * 1000, until * 1000, 'up', state, why
    FROM trouble;
INSERT INTO events SELECT id, until * 1000, NULL, state, 'up', NULL
    FROM trouble;
UPDATE events AS e SET until_ms = (SELECT min(since_ms) FROM events AS n
    WHERE n.check_id = e.check_id AND n.since_ms > e.since_ms);

COMMIT;
