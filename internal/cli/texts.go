package cli

import "strings"

// texts are the values of a flag that may be repeated, each as it was given.
// pflag has this too, and makes a CSV writer for every such flag that is declared.
type texts struct{ values *[]string }

func (t texts) String() string { return strings.Join(*t.values, ", ") }

// Type is what cobra knows a flag by that is completed again.
func (t texts) Type() string { return "stringArray" }

func (t texts) Set(text string) error { return t.Append(text) }

func (t texts) Append(text string) error {
	*t.values = append(*t.values, text)
	return nil
}

func (t texts) Replace(all []string) error {
	*t.values = all
	return nil
}

func (t texts) GetSlice() []string { return *t.values }
