-- Rows that another program wrote or changed are those whose until_wall is not
-- the one that was shown when we wrote them: this index holds them alone, so
-- that looking for them costs nothing with 100,000 rows of our own. The column
-- shown is added before, see migrate.go. Before it existed more held this, as
-- text, which SQLite may read off by the last bit.
UPDATE breaker_cooldowns
    SET shown = iif(abs(json_extract(more, '$.shown') - until_wall) < 1e-5, until_wall, json_extract(more, '$.shown'))
    WHERE shown IS NULL AND typeof(more) = 'text' AND json_valid(more) AND json_type(more, '$.shown') IN ('real', 'integer');
CREATE INDEX IF NOT EXISTS idx_cd_news ON breaker_cooldowns (until_wall) WHERE shown IS NOT until_wall;
