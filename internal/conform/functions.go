package conform

import "maps"

// functions are the cases by identifier: what each sends, and what it demands.
func functions() map[string]func(*trial) {
	out := map[string]func(*trial){}
	for _, cases := range []map[string]func(*trial){
		deliveryCases(), orderingCases(), idempotencyCases(), protocolCases(), schemaCases(),
		textCases(), securityCases(), moneyCases(), resilienceCases(),
	} {
		maps.Copy(out, cases)
	}
	return out
}
