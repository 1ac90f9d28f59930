package cli

import (
	"net/http"
	"testing"
	"time"
)

func TestClockSkew(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 600_000_000, time.UTC)
	for skew, want := range map[time.Duration]string{
		0: checkOK, 2 * time.Second: checkOK, -2 * time.Second: checkOK,
		10 * time.Second: checkWarn, -10 * time.Second: checkWarn, skewRefused - time.Second: checkWarn,
		skewRefused + 2*time.Second: checkFail, -skewRefused - 2*time.Second: checkFail,
	} {
		h := http.Header{"Date": {now.Add(-skew).Format(http.TimeFormat)}}
		if got := clockSkew(h, now); got.Status != want {
			t.Errorf("%s: %+v, want %s", skew, got, want)
		}
	}
	if got := clockSkew(http.Header{}, now); got.Status != checkWarn {
		t.Errorf("without a Date: %+v", got)
	}
}
