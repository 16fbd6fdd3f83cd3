//go:build cgo

package eventlog_test

const crashDirEnv = "FLEETFUSE_TEST_EVENTLOG_DIR"

func logUntilKilled(dir string) {}
