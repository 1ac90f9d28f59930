package conform

import (
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

// fitted is an amount with as many decimals as the contract takes: not every
// provider has six.
func fitted(f *contract.Fact, text string) string {
	if f == nil {
		return text
	}
	for short := text; strings.Contains(short, "."); short = short[:len(short)-1] {
		if amount := strings.TrimSuffix(short, "."); len(f.Schema().Validate(jsondoc.StringValue(amount))) == 0 {
			return amount
		}
	}
	return text
}
