-- The store's first version (user_version 1), for the tests of what comes after.
CREATE TABLE monitors ( -- one: the monitor of this file
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE, -- status_monitor NAME
  title TEXT NOT NULL
);
CREATE TABLE checks (
  id INTEGER PRIMARY KEY, -- check_id of all other tables
  monitor_id INTEGER NOT NULL REFERENCES monitors(id),
  name TEXT NOT NULL, -- check NAME
  title TEXT NOT NULL,
  grp TEXT, -- title of its group; NULL: none
  target TEXT NOT NULL, -- URL without secrets
  seen INTEGER NOT NULL, -- Unix s; configured at that time
  UNIQUE (monitor_id, name)
);
CREATE TABLE results ( -- every single result, for a few days
  check_id INTEGER NOT NULL REFERENCES checks(id),
  at_ms INTEGER NOT NULL, -- Unix ms; the probe began
  state TEXT NOT NULL, -- up degraded bot_detected timeout down unknown
  error TEXT, -- class of the failure
  http_status INTEGER,
  latency_us INTEGER NOT NULL,
  message TEXT, -- what was expected and what came
  resolve_us INTEGER, connect_us INTEGER, tls_us INTEGER,
  wait_us INTEGER, transfer_us INTEGER,
  size INTEGER, -- bytes of the body
  cert_expires INTEGER, -- Unix s
  score REAL,
  grade TEXT,
  ended_ms INTEGER NOT NULL, -- Unix ms
  detail BLOB, -- the module's own: categories of the score
  PRIMARY KEY (check_id, at_ms)
) WITHOUT ROWID;
CREATE TABLE minutes ( -- as long as results are kept
  check_id INTEGER NOT NULL REFERENCES checks(id),
  at INTEGER NOT NULL, -- Unix s; it begins
  -- seconds in each state
  up INTEGER NOT NULL, degraded INTEGER NOT NULL,
  bot_detected INTEGER NOT NULL, timeout INTEGER NOT NULL,
  down INTEGER NOT NULL, unknown INTEGER NOT NULL,
  maintenance INTEGER NOT NULL,
  results INTEGER NOT NULL, -- with a latency: sum, min, max are theirs
  sum_us INTEGER, min_us INTEGER, max_us INTEGER,
  mean_us INTEGER AS (sum_us / results),
  PRIMARY KEY (check_id, at)
) WITHOUT ROWID;
CREATE TABLE hours ( -- UTC
  check_id INTEGER NOT NULL REFERENCES checks(id),
  at INTEGER NOT NULL, -- Unix s; it begins
  -- seconds in each state
  up INTEGER NOT NULL, degraded INTEGER NOT NULL,
  bot_detected INTEGER NOT NULL, timeout INTEGER NOT NULL,
  down INTEGER NOT NULL, unknown INTEGER NOT NULL,
  maintenance INTEGER NOT NULL,
  results INTEGER NOT NULL, -- with a latency: sum, min, max are theirs
  sum_us INTEGER, min_us INTEGER, max_us INTEGER,
  mean_us INTEGER AS (sum_us / results),
  score_first REAL, score_last REAL, score_min REAL, score_max REAL,
  PRIMARY KEY (check_id, at)
) WITHOUT ROWID;
CREATE TABLE days ( -- UTC
  check_id INTEGER NOT NULL REFERENCES checks(id),
  at INTEGER NOT NULL, -- Unix s; it begins
  -- seconds in each state
  up INTEGER NOT NULL, degraded INTEGER NOT NULL,
  bot_detected INTEGER NOT NULL, timeout INTEGER NOT NULL,
  down INTEGER NOT NULL, unknown INTEGER NOT NULL,
  maintenance INTEGER NOT NULL,
  results INTEGER NOT NULL, -- with a latency: sum, min, max are theirs
  sum_us INTEGER, min_us INTEGER, max_us INTEGER,
  mean_us INTEGER AS (sum_us / results),
  score_first REAL, score_last REAL, score_min REAL, score_max REAL,
  PRIMARY KEY (check_id, at)
) WITHOUT ROWID;
CREATE TABLE events ( -- changes of the confirmed state
  check_id INTEGER NOT NULL REFERENCES checks(id),
  since_ms INTEGER NOT NULL, -- Unix ms; back-dated to the first result
  until_ms INTEGER, -- NULL: lasts
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  why TEXT,
  PRIMARY KEY (check_id, since_ms, to_state)
) WITHOUT ROWID;
CREATE TABLE state ( -- the module's own: to go on where it ended
  check_id INTEGER PRIMARY KEY REFERENCES checks(id),
  saved_ms INTEGER NOT NULL,
  layout TEXT NOT NULL,
  crc INTEGER NOT NULL,
  record BLOB NOT NULL,
  rings BLOB NOT NULL
);
PRAGMA application_id = 1852273524;
PRAGMA user_version = 1;
