package cli

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestBuilt(t *testing.T) {
	here := runtime.GOOS + "/" + runtime.GOARCH + ", " + runtime.Version()
	vcs := func(modified string) *debug.BuildInfo {
		return &debug.BuildInfo{Settings: []debug.BuildSetting{
			{Key: "vcs", Value: "git"},
			{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"},
			{Key: "vcs.time", Value: "2030-01-02T03:04:05Z"},
			{Key: "vcs.modified", Value: modified},
		}}
	}
	for _, test := range []struct {
		name string
		info *debug.BuildInfo
		want string
	}{
		{"a release", vcs("false"), "1.2.3 (" + here + ", commit 0123456789ab, 2030-01-02)"},
		{"a build of changed files", vcs("true"), "1.2.3 (" + here + ", commit 0123456789ab with changes, 2030-01-02)"},
		{"a module that was downloaded", &debug.BuildInfo{}, "1.2.3 (" + here + ")"},
		{"nothing known", nil, "1.2.3 (" + here + ")"},
	} {
		if got := built("1.2.3", test.info); got != test.want {
			t.Errorf("%s: %s, not %s", test.name, got, test.want)
		}
	}
}
