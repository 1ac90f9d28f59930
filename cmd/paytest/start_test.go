package main

import "testing"

// TestCmdLine holds the form in which cmd of Windows obeys a line with quotes.
func TestCmdLine(t *testing.T) {
	if got, want := cmdLine(`"C:\my tools\probe.exe" %PAYTEST_ID%`), `cmd /S /C ""C:\my tools\probe.exe" %PAYTEST_ID%"`; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}
