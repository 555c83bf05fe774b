/** Floor 2: PostgreSQL. Connections, the embedded server, migrations, group commit, and what nodes tell each other. */
export { checkAddress } from './address.ts';
export { createTryLock } from './advisory.ts';
export { openDatabase, PoolExhaustedError, type ConnectionTarget } from './connect.ts';
export { type Connection, type Database, type Queryable, type Statement } from './database.ts';
export { compareShadows, compareTables, compareWithManifest, writeManifest } from './drift.ts';
export { backupEmbedded } from './embedded/backup.ts';
export { borrowEmbedded, NoDatabaseError } from './embedded/borrow.ts';
export { startEmbedded, type EmbeddedServer } from './embedded/embedded.ts';
export { findHome } from './embedded/folders.ts';
export { EmbeddedKeeper, type KeeperNews } from './embedded/keeper.ts';
export { classifyError, refusalOf } from './errors.ts';
export { GroupCommit } from './group-commit.ts';
export { migrate, planMigrations, type MigrationPlan } from './migrate.ts';
export { announcements, createNotifier, type Notifier } from './notify.ts';
export { ensurePartitions, listPartitions, partitionJob } from './partitions.ts';
export { onPrimary } from './primary.ts';
export {
  dropDue,
  readRetention,
  retentionJob,
  retentionWatch,
  type DroppedPartition,
  type RetentionNews,
  type RetentionOptions,
} from './retention.ts';
export { type TableRetention } from './retention-rules.ts';
export { StartupError } from './startup-error.ts';
export { tracedDatabase } from './traced.ts';
export { explainUnreachable } from './unreachable.ts';
export { createWriteProbe, type WriteTrouble } from './write-probe.ts';
export { WriteWatch, type WriteProblem } from './write-watch.ts';
