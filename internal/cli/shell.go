package cli

import "strings"

// quoted writes a word so that a shell reads it back: a POSIX one, or on Windows
// both cmd and PowerShell, as far as there is a form that both read.
func (a *app) quoted(s string) string {
	plain := "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/._-="
	if !a.Windows {
		plain += ","
	} else {
		plain += `\`
	}
	switch {
	case s != "" && strings.Trim(s, plain) == "":
		return s
	case a.Windows && !strings.ContainsAny(s, "\"$`%"):
		return `"` + s + `"`
	case a.Windows:
		return "'" + strings.ReplaceAll(s, "'", "''") + "'" // PowerShell's alone
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
