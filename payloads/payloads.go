// Package payloads embeds the contract: the gateway's webhooks, one file a state.
package payloads

import "embed"

// FS holds contract.json, facts.json and one file for each state, named
// SUBJECT/STATE.json.
//
//go:embed *.json */*.json
var FS embed.FS
