// Package payloads embeds the contract: the gateway's webhooks, one file a
// state, and the lives of a payment as scenarios.
package payloads

import "embed"

// FS holds contract.json, facts.json, one file for each state, named
// SUBJECT/STATE.json, and one for each scenario, scenarios/NAME.yaml.
//
//go:embed *.json */*.json scenarios/*.yaml
var FS embed.FS
