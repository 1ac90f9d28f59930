package contract_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

// boxes reads the small pack that the refusals below spoil.
func boxes(t testing.TB) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	pack := os.DirFS("testdata/box")
	err := fs.WalkDir(pack, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(pack, name)
		out[name] = &fstest.MapFile{Data: raw}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSmallPackLoads(t *testing.T) {
	c := load(t, boxes(t))
	if len(c.States()) != 3 || len(c.Facts) != 14 {
		t.Errorf("%d states and %d facts", len(c.States()), len(c.Facts))
	}
}

// replace changes one place of a file.
func replace(file, old, with string) func(t *testing.T, pack fstest.MapFS) {
	return func(t *testing.T, pack fstest.MapFS) {
		was := string(pack[file].Data)
		if strings.Count(was, old) != 1 {
			t.Fatalf("%q stands in %s %d times, not once", old, file, strings.Count(was, old))
		}
		pack[file] = &fstest.MapFile{Data: []byte(strings.Replace(was, old, with, 1))}
	}
}

func remove(file string) func(t *testing.T, pack fstest.MapFS) {
	return func(t *testing.T, pack fstest.MapFS) {
		if pack[file] == nil {
			t.Fatalf("there is no %s", file)
		}
		delete(pack, file)
	}
}

func write(file, content string) func(t *testing.T, pack fstest.MapFS) {
	return func(_ *testing.T, pack fstest.MapFS) { pack[file] = &fstest.MapFile{Data: []byte(content)} }
}

// copied writes a file with the text of another, changed.
func copied(from, to string, oldNew ...string) func(t *testing.T, pack fstest.MapFS) {
	return func(_ *testing.T, pack fstest.MapFS) {
		pack[to] = &fstest.MapFile{Data: []byte(strings.NewReplacer(oldNew...).Replace(string(pack[from].Data)))}
	}
}

// generator gives the fact colour another generator.
func generator(text string) func(t *testing.T, pack fstest.MapFS) {
	return replace("facts.json", `{"pick": ["red", "blue"]}`, text)
}

// relation gives the sealed box another first relation.
func relation(text string) func(t *testing.T, pack fstest.MapFS) {
	return replace("box/sealed.json", `{"notBefore": ["at", "foldedAt"], "source": "manual"}`, text)
}

const (
	inContract = "contract.json"
	inFacts    = "facts.json"
	inFolded   = "box/folded.json"
	inSealed   = "box/sealed.json"
)

type refusal struct {
	name    string
	spoil   func(t *testing.T, pack fstest.MapFS)
	file    string
	pointer string
	message string
}

func refuse(t *testing.T, cases []refusal) {
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			pack := boxes(t)
			x.spoil(t, pack)
			c, err := contract.Load(pack)
			var le *contract.LoadError
			if c != nil || !errors.As(err, &le) {
				t.Fatalf("the pack is accepted, or refused without its place: %v", err)
			}
			if le.File != x.file || le.Pointer.String() != x.pointer || !strings.Contains(le.Message, x.message) {
				t.Errorf("got  %s %q %q\nwant %s %q …%q…", le.File, le.Pointer, le.Message, x.file, x.pointer, x.message)
			}
			for _, part := range []string{x.file, x.pointer, le.Message} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error %q does not say %q", err, part)
				}
			}
		})
	}
}

func TestLoadRefusesFiles(t *testing.T) {
	refuse(t, []refusal{
		{"no contract", remove(inContract), inContract, "", "no such file"},
		{"no facts", remove(inFacts), inFacts, "", "no such file"},
		{"empty contract", write(inContract, ""), inContract, "", "empty"},
		{"no JSON", write(inFolded, "{'a': 1}"), inFolded, "", "line 1, column 2"},
		{"half a file", write(inFacts, `{"$defs": {`), inFacts, "", "the document ends"},
		{"two documents", write(inFacts, `{} {}`), inFacts, "", "after the end of the document"},
		{"duplicate key", replace(inFolded, `"at": "1s",`, `"at": "1s", "at": "1s",`), inFolded, "", "appears twice"},
		{"duplicate fact", replace(inFacts, `"code": {`, `"count": {`), inFacts, "", `"count" appears twice`},
		{"invalid UTF-8", replace(inFolded, "someone", "some\xffone"), inFolded, "", "not UTF-8"},
		{"byte order mark", copied(inFacts, inFacts, `{
  "$schema"`, "\ufeff{\n  \"$schema\""), inFacts, "", "byte order mark"},
		{"too deep", replace(inFolded, `"b-1"`, strings.Repeat("[", 200)+strings.Repeat("]", 200)), inFolded, "", "more than 128"},
		{"oversized contract", replace(inContract, `{
  "name"`, `{`+strings.Repeat(" ", 1<<20)+`"name"`), inContract, "", "larger than 1048576 bytes"},
		{"oversized state", replace(inFolded, "someone", strings.Repeat("x", 1<<20)), inFolded, "", "larger than 1048576 bytes"},
		{"contract is no object", write(inContract, `[]`), inContract, "", "is a JSON array; it takes a JSON object"},
		{"state is no object", write(inFolded, `null`), inFolded, "", "is a JSON null; it takes a JSON object"},
		{"stray file", write("extra.json", `{}`), "extra.json", "", "no file of a contract"},
		{"stray folder", write("boxx/folded.json", `{}`), "boxx/folded.json", "", "belongs to no subject of contract.json; did you mean box?"},
		{"subject without states", remove("lid/lost.json"), "lid", "", "holds no state"},
		{"folder instead of file", func(_ *testing.T, pack fstest.MapFS) {
			delete(pack, inContract)
			pack[inContract+"/x"] = &fstest.MapFile{}
		}, inContract, "", "cannot be read"},
		{"state named in upper case", copied(inFolded, "box/Folded.json"), "box/Folded.json", "", `"Folded" is no name`},
		{"state with a blank", copied(inFolded, "box/two words.json"), "box/two words.json", "", "is no name"},
	})
}

func TestLoadAcceptsOtherFilesBeside(t *testing.T) {
	pack := boxes(t)
	for _, name := range []string{"README.md", "box/notes.txt", "docs/index.html", ".gitignore"} {
		pack[name] = &fstest.MapFile{Data: []byte("nothing")}
	}
	load(t, pack)
}

func TestLoadRefusesUnknownFields(t *testing.T) {
	refuse(t, []refusal{
		{"contract", replace(inContract, `"name": "boxes`, `"nam": "boxes`), inContract, "/nam", "is no field of a contract; did you mean name?"},
		{"envelope", replace(inContract, `"/was"}`, `"/was", "prior": ""}`), inContract, "/envelope/prior", "no field"},
		{"subject", replace(inContract, `"id": "boxId",`, `"id": "boxId", "ids": 1,`), inContract, "/subjects/box/ids", "no field"},
		{"initial", replace(inContract, `"state": "Flat",`, `"wire": "Flat",`), inContract, "/subjects/box/initial/wire", "no field"},
		{"delivery", replace(inContract, `"timeout": "2s"`, `"time": "2s"`), inContract, "/delivery/time", "no field"},
		{"answers", replace(inContract, `"invalid": {`, `"invalids": {`), inContract, "/answers/invalids", "did you mean invalid?"},
		{"answer", replace(inContract, `"ok": {"status"`, `"ok": {"code"`), inContract, "/answers/ok/code", "no field"},
		{"flow", replace(inContract, `"flow": {"states"`, `"flow": {"steps"`), inContract, "/flow/steps", "no field"},
		{"facts", replace(inFacts, `"title"`, `"titel"`), inFacts, "/titel", "did you mean title?"},
		{"fact", replace(inFacts, `"compare": "decimal", "known"`, `"compares": "decimal", "known"`), inFacts, "/$defs/size/compares", "not supported"},
		{"generator", generator(`{"choose": ["red"]}`), inFacts, "/$defs/colour/generate/choose", "no field"},
		{"generator's parameter", replace(inFacts, `"step": "0.5"`, `"steps": "0.5"`), inFacts, "/$defs/size/generate/decimal/steps", "did you mean step?"},
		{"parameter of one without", generator(`{"uuid": {"version": 7}}`), inFacts, "/$defs/colour/generate/uuid/version", "no field"},
		{"same's parameter", replace(inFacts, `"percent": [10, 90]`, `"percents": [10, 90]`), inFacts, "/$defs/copy/generate/same/different/percents", "no field"},
		{"state", replace(inFolded, `"path"`, `"paht"`), inFolded, "/paht", "did you mean path?"},
		{"from", replace(inFolded, `"trigger"`, `"because"`), inFolded, "/from/0/because", "no field"},
		{"relation", relation(`{"before": ["at", "foldedAt"], "source": "manual"}`), inSealed, "/relations/0/before", "no field"},
		{"schema keyword", replace(inFolded, `"required": [`, `"requires": [`), inFolded, "/schema/requires", `"requires" is not supported`},
		{"schema keyword of a member", replace(inFolded, `"$ref": "facts.json#/$defs/size"`, `"$ref": "facts.json#/$defs/size", "multipleOf": 2`), inFolded, "/schema/properties/size/multipleOf", "not supported"},
		{"schema keyword of a type", replace(inFacts, `"moment": {"type"`, `"moment": {"contentEncoding": "x", "type"`), inFacts, "/$defs/moment/contentEncoding", "not supported"},
	})
}

func TestLoadRefusesContract(t *testing.T) {
	refuse(t, []refusal{
		{"no name", replace(inContract, `"name": "boxes and their lids",`, ``), inContract, "/name", "is missing"},
		{"empty name", replace(inContract, `"boxes and their lids"`, `""`), inContract, "/name", "is empty"},
		{"envelope pointer", replace(inContract, `"/was"`, `"/was~2"`), inContract, "/envelope/previousState", "~"},
		{"envelope is empty", replace(inContract, `"/was"`, `""`), inContract, "/envelope/previousState", "is empty"},
		{"no subjects", write(inContract, `{"name": "n", "envelope": {"event": "/e", "state": "/s", "previousState": "/p"}, "subjects": {}}`), inContract, "/subjects", "names no subject"},
		{"subject in upper case", copied(inContract, inContract, `"lid": {`, `"Lid": {`), inContract, "/subjects/Lid", `"Lid" is no name`},
		{"subject's id is no fact", replace(inContract, `"boxId"`, `"boxID"`), inContract, "/subjects/box/id", "is no fact in facts.json; did you mean boxId?"},
		{"subject's id of another scope", replace(inContract, `"id": "boxId"`, `"id": "lidId"`), inContract, "/subjects/box/id", `whose scope is "lid"`},
		{"initial in upper case", replace(inContract, `"name": "flat"`, `"name": "Flat"`), inContract, "/subjects/box/initial/name", "is no name"},
		{"initial without origin", replace(inContract, `"meaning": "not folded yet", "source": "manual"`, `"meaning": "not folded yet"`), inContract, "/subjects/box/initial", `neither "source" nor "derived"`},
		{"status", replace(inContract, `[204]`, `[99]`), inContract, "/delivery/success/0", "from 100 to 599"},
		{"status as text", replace(inContract, `[204]`, `["204"]`), inContract, "/delivery/success/0", "is a JSON string"},
		{"no status", replace(inContract, `[204]`, `[]`), inContract, "/delivery/success", "names no status"},
		{"timeout", replace(inContract, `"2s"`, `"2"`), inContract, "/delivery/timeout", "it takes a duration"},
		{"no time", replace(inContract, `"2s"`, `"0s"`), inContract, "/delivery/timeout", "is zero"},
		{"negative time", replace(inContract, `"2s"`, `"-2s"`), inContract, "/delivery/timeout", "it takes a duration"},
		{"backoff", replace(inContract, `"timeout": "2s"`, `"timeout": "2s", "backoff": ["1s", "2"]`), inContract, "/delivery/backoff/1", "it takes a duration"},
		{"too many retries", replace(inContract, `"timeout": "2s"`, `"timeout": "2s", "backoff": ["1s"`+strings.Repeat(`, "1s"`, 20)+`]`), inContract, "/delivery/backoff", "names 21 retries; at most 20"},
		{"signature without a header", replace(inContract, `"delivery": {`, `"signature": {"source": "manual"}, "delivery": {`), inContract, "/signature/header", "is missing"},
		{"signature's header", replace(inContract, `"delivery": {`, `"signature": {"header": "X Signature", "answer": {"status": 401, "body": {}, "source": "manual"}, "source": "manual"}, "delivery": {`), inContract, "/signature/header", "name of an HTTP header"},
		{"signature's answer", replace(inContract, `"delivery": {`, `"signature": {"header": "X-Signature", "answer": {"status": 401, "source": "manual"}, "source": "manual"}, "delivery": {`), inContract, "/signature/answer/body", "is missing"},
		{"signature's scheme", replace(inContract, `"delivery": {`, `"signature": {"scheme": "strip", "source": "manual"}, "delivery": {`), inContract, "/signature/scheme", "did you mean stripe"},
		{"signature's scheme and header", replace(inContract, `"delivery": {`, `"signature": {"scheme": "stripe", "header": "X-Signature", "source": "manual"}, "delivery": {`), inContract, "/signature/header", "beside \"scheme\""},
		{"signature's prefix", replace(inContract, `"delivery": {`, `"signature": {"header": "X-Signature", "prefix": "sha 256", "source": "manual"}, "delivery": {`), inContract, "/signature/prefix", "visible ASCII"},
		{"signature's encoding", replace(inContract, `"delivery": {`, `"signature": {"header": "X-Signature", "encoding": "base32", "source": "manual"}, "delivery": {`), inContract, "/signature/encoding", "hex or base64"},
		{"signature's extra", replace(inContract, `"delivery": {`, `"signature": {"secret": "x"}, "delivery": {`), inContract, "/signature/secret", "no field"},
		{"answer is missing", replace(inContract, `"invalid": {"status": 400, "body": {}, "source": "manual"},`, ``), inContract, "/answers/invalid", "is missing"},
		{"answer's status", replace(inContract, `"status": 404`, `"status": 1404`), inContract, "/answers/wrongEvent/status", "from 200 to 599"},
		{"answer's body", replace(inContract, `"status": 404, "body": {}`, `"status": 404, "body": "nothing"`), inContract, "/answers/wrongEvent/body", "it takes a JSON object"},
		{"flow names no state", replace(inContract, `"box/sealed"]`, `"box/closed"]`), inContract, "/flow/states/1", `"box/closed", which is no state`},
		{"flow names the start", replace(inContract, `"box/sealed"]`, `"box/flat"]`), inContract, "/flow/states/1", "which is no state"},
		{"empty flow", replace(inContract, `["box/folded", "box/sealed"]`, `[]`), inContract, "/flow/states", "is empty"},
		{"epoch", replace(inContract, `"2001-02-03T04:05:06.000Z"`, `"2001-02-03"`), inContract, "/epoch", "no RFC 3339 time"},
	})
}

func TestLoadRefusesFacts(t *testing.T) {
	refuse(t, []refusal{
		{"fact is no object", replace(inFacts, `"$defs": {`, `"$defs": {"x": true,`), inFacts, "/$defs/x", "is a JSON boolean"},
		{"no definitions", write(inFacts, `{}`), inFacts, "/$defs", "is missing"},
		{"scope of no subject", replace(inFacts, `"scope": "box", "generate": {"hex": 8}`, `"scope": "boxx", "generate": {"hex": 8}`), inFacts, "/$defs/boxId/scope", "did you mean box?"},
		{"no description", replace(inFacts, `"description": "its size", `, ``), inFacts, "/$defs/size/description", "is missing"},
		{"no origin", replace(inFacts, `"description": "its size", "source": "manual"`, `"description": "its size"`), inFacts, "/$defs/size", `neither "source" nor "derived"`},
		{"comparison", replace(inFacts, `"compare": "decimal", "known"`, `"compare": "float", "known"`), inFacts, "/$defs/size/compare", `"float"; it takes decimal, time or caseless`},
		{"known values", replace(inFacts, `"known": ["1.0"]`, `"known": "1.0"`), inFacts, "/$defs/size/known", "it takes a JSON array"},
		{"type", replace(inFacts, `"code": {"type": "string"`, `"code": {"type": "text"`), inFacts, "/$defs/code/type", "is not a type"},
		{"pattern", replace(inFacts, `"code": {"type": "string"`, `"code": {"pattern": "(?=x)", "type": "string"`), inFacts, "/$defs/code/pattern", "RE2"},
		{"format", replace(inFacts, `"base58check", "description"`, `"base59", "description"`), inFacts, "/$defs/code/format", "format must be"},
		{"reference to nothing", replace(inFacts, `"at": {"$ref": "#/$defs/moment"`, `"at": {"$ref": "#/$defs/momentum"`), inFacts, "/$defs/at/$ref", "there is nothing at"},
		{"reference to itself", replace(inFacts, `"at": {"$ref": "#/$defs/moment"`, `"at": {"$ref": "#/$defs/at"`), inFacts, "/$defs/at", "refers to itself"},
		{"two generators", generator(`{"uuid": {}, "cuid": {}}`), inFacts, "/$defs/colour/generate", "takes exactly one of uuid"},
		{"no generator", generator(`{}`), inFacts, "/$defs/colour/generate", "takes exactly one of uuid"},
		{"generator as text", generator(`"uuid"`), inFacts, "/$defs/colour/generate", "it takes a JSON object"},
		{"nothing to pick", generator(`{"pick": []}`), inFacts, "/$defs/colour/generate/pick", "is empty"},
		{"no text", generator(`{"text": [1]}`), inFacts, "/$defs/colour/generate/text/0", "is a JSON number"},
		{"text of no fact", generator(`{"text": ["{boxid}"]}`), inFacts, "/$defs/colour/generate/text/0", "{boxid}, which is no fact; did you mean boxId?"},
		{"text divides text", generator(`{"text": ["{boxId/2}"]}`), inFacts, "/$defs/colour/generate/text/0", "divides boxId, which is no decimal"},
		{"length", generator(`{"hex": 0}`), inFacts, "/$defs/colour/generate/hex", "from 1 to 1024"},
		{"length beyond bounds", generator(`{"hex": 1025}`), inFacts, "/$defs/colour/generate/hex", "from 1 to 1024"},
		{"version byte", generator(`{"base58check": {"version": 256, "bytes": 20}}`), inFacts, "/$defs/colour/generate/base58check/version", "from 0 to 255"},
		{"bytes", generator(`{"base58check": {"version": 65, "bytes": 65}}`), inFacts, "/$defs/colour/generate/base58check/bytes", "from 1 to 64"},
		{"amount as number", generator(`{"decimal": {"min": 1, "max": "2", "step": "1", "places": 0}}`), inFacts, "/$defs/colour/generate/decimal/min", "is a JSON number"},
		{"amount with exponent", generator(`{"decimal": {"min": "1e3", "max": "2", "step": "1", "places": 0}}`), inFacts, "/$defs/colour/generate/decimal/min", "it takes a decimal number"},
		{"negative amount", generator(`{"decimal": {"min": "-1", "max": "2", "step": "1", "places": 0}}`), inFacts, "/$defs/colour/generate/decimal/min", "it takes a decimal number"},
		{"step of nothing", generator(`{"decimal": {"min": "1", "max": "2", "step": "0.0", "places": 0}}`), inFacts, "/$defs/colour/generate/decimal/step", "is zero"},
		{"places", generator(`{"decimal": {"min": "1", "max": "2", "step": "1", "places": 19}}`), inFacts, "/$defs/colour/generate/decimal/places", "from 0 to 18"},
		{"quotient of nothing", generator(`{"quotient": {"of": "nothing", "by": "2", "places": 2}}`), inFacts, "/$defs/colour/generate/quotient/of", "which is no fact"},
		{"quotient by zero", generator(`{"quotient": {"of": "size", "by": "0", "places": 2}}`), inFacts, "/$defs/colour/generate/quotient/by", "is zero"},
		{"same as nothing", generator(`{"same": {"as": "nothing"}}`), inFacts, "/$defs/colour/generate/same/as", "which is no fact"},
		{"one percentage", replace(inFacts, `[10, 90]`, `[10]`), inFacts, "/$defs/copy/generate/same/different/percent", "takes two numbers"},
		{"percentages reversed", replace(inFacts, `[10, 90]`, `[90, 10]`), inFacts, "/$defs/copy/generate/same/different/percent", "takes the least first"},
		{"all of it", replace(inFacts, `[10, 90]`, `[10, 100]`), inFacts, "/$defs/copy/generate/same/different/percent", "the same"},
		{"fraction of an integer", generator(`{"integer": {"min": 1.5, "max": 3}}`), inFacts, "/$defs/colour/generate/integer/min", "it takes an integer"},
		{"moment of no state", generator(`{"moment": "box/lost"}`), inFacts, "/$defs/colour/generate/moment", `"box/lost", which is no state`},
		{"needs itself", generator(`{"same": {"as": "colour"}}`), inFacts, "/$defs/colour/generate", "needs itself"},
		{"need each other", func(t *testing.T, pack fstest.MapFS) {
			generator(`{"text": ["{count}"]}`)(t, pack)
			replace(inFacts, `{"integer": {"min": 1, "max": 3}}`, `{"same": {"as": "colour"}}`)(t, pack)
		}, inFacts, "/$defs/colour/generate", "needs itself"},
	})
}

func TestLoadRefusesStates(t *testing.T) {
	refuse(t, []refusal{
		{"no event", replace(inFolded, `"event": "box.changed",
  "path"`, `"path"`), inFolded, "/event", "is missing"},
		{"relative path", replace(inFolded, `"/box"`, `"box"`), inFolded, "/path", "absolute URL path"},
		{"path with a query", replace(inFolded, `"/box"`, `"/box?a=b"`), inFolded, "/path", "absolute URL path"},
		{"path with a host", replace(inFolded, `"/box"`, `"//box"`), inFolded, "/path", "absolute URL path"},
		{"no time", replace(inFolded, `"1s"`, `"soon"`), inFolded, "/at", "it takes a duration"},
		{"late", replace(inFolded, `"at": "1s",`, `"at": "1s", "late": "-1s",`), inFolded, "/late", "it takes a duration"},
		{"sample is no object", write("box/torn.json", `{"event": "e", "path": "/p", "state": "Torn", "from": [], "at": "1s", "source": "s", "sample": [], "schema": {}}`), "box/torn.json", "/sample", "is a JSON array"},
		{"schema is no object", write("box/torn.json", `{"event": "e", "path": "/p", "state": "Torn", "from": [], "at": "1s", "source": "s", "sample": {}, "schema": true}`), "box/torn.json", "/schema", "is a JSON boolean"},
		{"two files spell one state", copied(inFolded, "box/bent.json"), inFolded, "/state", `"Folded", which box/bent.json already defines`},
		{"a file spells the start", copied(inFolded, inFolded, `"Folded"`, `"Flat"`), inFolded, "/state", `"Flat", which contract.json already defines`},
		{"a file named as the start", copied(inFolded, "box/flat.json", `"Folded"`, `"Bent"`), "box/flat.json", "/state", "contract.json already defines"},
		{"two subjects report one event and state", copied("box/folded.json", "lid/folded.json"), "lid/folded.json", "/state", "for the event box.changed, which box/folded.json already defines"},
		{"nothing leads to it", replace(inFolded, `[{"state": "flat", "trigger": "someone does it", "source": "manual"}]`, `[]`), inFolded, "/from", "nothing leads to box folded"},
		{"no from", replace(inFolded, `"from": [{"state": "flat", "trigger": "someone does it", "source": "manual"}],`, ``), inFolded, "/from", "is missing"},
		{"from names no state", replace(inSealed, `{"state": "folded"`, `{"state": "foldet"`), inSealed, "/from/0/state", `"foldet", which is no state of box; did you mean folded?`},
		{"from spells a state", replace(inSealed, `{"state": "folded"`, `{"state": "Folded"`), inSealed, "/from/0/state", `is "Folded", which is no state`},
		{"from another subject", replace(inSealed, `{"state": "folded"`, `{"state": "lost"`), inSealed, "/from/0/state", "no state of box"},
		{"from one state twice", replace(inFolded, `"from": [`, `"from": [{"state": "flat", "trigger": "again", "source": "manual"}, `), inFolded, "/from/1/state", "a second time"},
		{"no trigger", replace(inFolded, `"trigger": "someone does it", `, ``), inFolded, "/from/0/trigger", "is missing"},
		{"transition without origin", replace(inFolded, `"trigger": "someone does it", "source": "manual"`, `"trigger": "someone does it"`), inFolded, "/from/0", `neither "source" nor "derived"`},
		{"reached only from itself", func(t *testing.T, pack fstest.MapFS) {
			replace(inFolded, `{"state": "flat"`, `{"state": "sealed"`)(t, pack)
		}, inFolded, "/from", "leads nowhere near flat"},
		{"sample without a required member", replace(inFolded, `"boxId": "b-1", `, ``), inFolded, "/sample/boxId", "the sample fails its own schema: required"},
		{"sample of the wrong type", replace(inFolded, `"size": "1.0"`, `"size": 1`), inFolded, "/sample/size", "the sample fails its own schema: type"},
		{"sample of the wrong form", replace(inFolded, `"foldedAt": "2001-02-03T04:05:07Z"`, `"foldedAt": "2001-02-30T04:05:07Z"`), inFolded, "/sample/foldedAt", "the sample fails its own schema: format"},
		{"sample of another state", replace(inFolded, `"state": "Folded", "was"`, `"state": "Sealed", "was"`), inFolded, "/sample/state", `expected "Folded"`},
		{"sample of another event", replace(inFolded, `"event": "box.changed", "state": "Folded", "was"`, `"event": "box", "state": "Folded", "was"`), inFolded, "/sample/event", `expected "box.changed"`},
		{"sample from elsewhere", replace(inSealed, `"was": "Folded"`, `"was": "Flat"`), inSealed, "/sample", `comes from Flat, which is not in "from"`},
		{"sample without previous state but several ways", func(t *testing.T, pack fstest.MapFS) {
			replace(inSealed, `"from": [`, `"from": [{"state": "flat", "trigger": "in one go", "source": "manual"}, `)(t, pack)
			replace(inSealed, `"was": "Folded", `, ``)(t, pack)
			replace(inSealed, `"was", `, ``)(t, pack)
		}, inSealed, "/sample", "one state alone may lead to box sealed"},
		{"optional identity", replace(inFolded, `"at", "boxId"]`, `"at"]`), inFolded, "/sample", "no required member carries boxId"},
		{"reference to no file", replace(inFolded, `"facts.json#/$defs/size"`, `"fact.json#/$defs/size"`), inFolded, "/schema/properties/size/$ref", `no resource "fact.json"`},
		{"reference to no fact", replace(inFolded, `"facts.json#/$defs/size"`, `"facts.json#/$defs/sizes"`), inFolded, "/schema/properties/size/$ref", "there is nothing at"},
		{"reference outside the pack", replace(inFolded, `"facts.json#/$defs/size"`, `"https://example.com/x.json"`), inFolded, "/schema/properties/size/$ref", "no resource"},
		{"member wears two facts", replace(inFolded, `{"$ref": "facts.json#/$defs/foldedAt"}`, `{"allOf": [{"$ref": "facts.json#/$defs/foldedAt"}, {"$ref": "facts.json#/$defs/at"}]}`), inFolded, "/schema", "/foldedAt refers to foldedAt and to at: a member carries one fact"},
		{"known beside allOf", replace(inFolded, `{"$ref": "facts.json#/$defs/size"}`, `{"allOf": [{"$ref": "facts.json#/$defs/size", "known": 1}]}`), inFolded, "/schema/properties/size/allOf/0/known", "JSON array"},
		{"known where it refers to", replace(inFolded, `{"$ref": "facts.json#/$defs/size"}
    }`, `{"$ref": "#/schema/$defs/large"}}, "$defs": {"large": {"allOf": [{"$ref": "facts.json#/$defs/size", "known": 1}]}}`), inFolded, "/schema/$defs/large/allOf/0/known", "JSON array"},
		{"member wears a type", replace(inFolded, `"facts.json#/$defs/foldedAt"`, `"facts.json#/$defs/moment"`), inFolded, "/schema", "refers to moment, which is a type and no fact"},
		{"relation is no object", relation(`7`), inSealed, "/relations/0", "is a JSON number"},
		{"no relation", relation(`{"source": "manual"}`), inSealed, "/relations/0", "names no relation"},
		{"two relations", relation(`{"equal": ["size", "copy"], "different": ["size", "copy"], "source": "manual"}`), inSealed, "/relations/0/different", `a second relation beside "equal"`},
		{"relation of one fact", relation(`{"equal": ["size"], "source": "manual"}`), inSealed, "/relations/0/equal", "takes two facts"},
		{"relation of no fact", relation(`{"equal": ["size", "length"], "source": "manual"}`), inSealed, "/relations/0/equal/1", "which is no fact"},
		{"order of amounts", relation(`{"notBefore": ["size", "at"], "source": "manual"}`), inSealed, "/relations/0/notBefore", "not both times"},
		{"never no state", relation(`{"never": "lid/found", "source": "manual"}`), inSealed, "/relations/0/never", `"lid/found", which is no state`},
		{"relation without origin", relation(`{"equal": ["size", "copy"]}`), inSealed, "/relations/0", `neither "source" nor "derived"`},
		{"condition on no fact", relation(`{"equal": ["size", "copy"], "when": {"x": 1}, "source": "manual"}`), inSealed, "/relations/0/when/x", "is no fact that box sealed carries"},
		{"condition on a fact elsewhere", relation(`{"equal": ["size", "copy"], "when": {"colour": "red"}, "source": "manual"}`), inSealed, "/relations/0/when/colour", "is no fact that box sealed carries"},
	})
}

// TestLoadRefusesTooManyTransitions makes packs whose states are each reached
// from the start and from one another.
func TestLoadRefusesTooManyTransitions(t *testing.T) {
	for states, ok := range map[int]bool{8: true, 9: false} {
		pack := boxes(t)
		delete(pack, inSealed)
		replace(inContract, `["box/folded", "box/sealed"]`, `["box/folded"]`)(t, pack)
		from := `[{"state": "flat", "trigger": "t", "source": "s"}`
		for i := 1; i < states; i++ {
			from += fmt.Sprintf(`, {"state": "s%d", "trigger": "t", "source": "s"}`, i)
		}
		for i := 1; i < states; i++ {
			copied(inFolded, fmt.Sprintf("box/s%d.json", i), `"Folded"`, fmt.Sprintf(`"S%d"`, i),
				`[{"state": "flat", "trigger": "someone does it", "source": "manual"}]`, from+"]")(t, pack)
		}
		c, err := contract.Load(pack)
		switch {
		case ok && err != nil:
			t.Errorf("%d transitions: %v", states*(states-1)+1, err)
		case ok && len(c.Subjects[0].Edges) > 64:
			t.Errorf("%d transitions are accepted", len(c.Subjects[0].Edges))
		case !ok && (err == nil || !strings.Contains(err.Error(), "box: has 73 transitions; at most 64 can be judged")):
			t.Errorf("73 transitions: %v", err)
		}
	}
}

func TestLoadRefusesTooManyStates(t *testing.T) {
	pack := boxes(t)
	for i := range 256 {
		copied(inFolded, fmt.Sprintf("box/s%d.json", i), `"Folded"`, fmt.Sprintf(`"S%d"`, i))(t, pack)
	}
	if _, err := contract.Load(pack); err == nil || !strings.Contains(err.Error(), "box: holds more than 256 states") {
		t.Error(err)
	}
}

func TestLoadErrorPointerParses(t *testing.T) {
	e := &contract.LoadError{File: "a.json", Pointer: jsondoc.Pointer{"a/b", "~"}, Message: "is wrong"}
	if got, want := e.Error(), "contract: a.json: /a~1b/~0: is wrong"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLoadTellsThatThereIsNoFolder(t *testing.T) {
	const want = "contract.json: the pack's folder does not exist"
	if _, err := contract.Load(os.DirFS(filepath.Join(t.TempDir(), "nosuch"))); err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}
