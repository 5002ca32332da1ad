package changes

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// describe is one line per attribute: path: old -> new.
func describe(r Resource) []string {
	var lines []string
	for _, a := range r.Attributes {
		line := fmt.Sprintf("%s: %s -> %s", a.Path, describeValue(a.Old), describeValue(a.New))
		if a.ForcesReplacement {
			line += " (forces replacement)"
		}
		lines = append(lines, line)
	}
	return lines
}

func describeValue(v Value) string {
	switch v.Kind {
	case Absent:
		return "absent"
	case Null:
		return "null"
	case Unknown:
		return "unknown"
	case Sensitive:
		return "sensitive" + v.Text
	}
	text := v.Text
	if v.String {
		text = fmt.Sprintf("%q", v.Text)
	}
	if v.Cut > 0 {
		text += fmt.Sprintf(" and %d more", v.Cut)
	}
	return text
}

func TestDiffTellsTheLeavesThatDiffer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, change string
		want         []string
	}{
		{"an update", `"actions":["update"],"before":{"a":"x","b":1,"c":true,"d":null},"after":{"a":"y","b":1,"c":false,"d":0.5}`,
			[]string{`a: "x" -> "y"`, `c: true -> false`, `d: null -> 0.5`}},
		{"a create leaves out null and blocks that are not there", `"actions":["create"],"before":null,"after":{"a":"x","b":null,"c":{"d":null,"e":1,"h":[]},"f":[],"s":"","m":{}},"after_unknown":{"id":true,"c":{},"g":false}`,
			[]string{`a: absent -> "x"`, `c.e: absent -> 1`, `id: absent -> unknown`, `m: absent -> {}`, `s: absent -> ""`}},
		{"a delete leaves out what is empty", `"actions":["delete"],"before":{"a":"x","b":null,"c":[{"d":1}],"e":{}},"after":null,"after_unknown":false`,
			[]string{`a: "x" -> absent`, `c[0].d: 1 -> absent`}},
		{"a forget leaves out what is empty, at any depth", `"actions":["forget"],"before":{"a":"","b":[],"c":[{"d":1,"e":"","f":[],"g":{}}],"h":0,"i":false},"after":null,"after_unknown":false`,
			[]string{`c[0].d: 1 -> absent`, `h: 0 -> absent`, `i: false -> absent`}},
		{"a replacement leaves out null for what is empty", `"actions":["delete","create"],"before":{"a":"","b":null,"c":[{"d":""}],"e":"x","f":"","g":""},"after":{"a":null,"b":[],"c":[{"d":null}],"e":"","f":"y"},"after_unknown":{"g":true}`,
			[]string{`e: "x" -> ""`, `f: "" -> "y"`, `g: "" -> unknown`}},
		{"but not what forces it", `"actions":["delete","create"],"before":{"a":"","b":[{"c":""},{"d":1}]},"after":{"a":null,"b":[{"c":null},{"d":1}]},"replace_paths":[["a"],["b",0,"c"]]`,
			[]string{`a: "" -> null (forces replacement)`, `b[0].c: "" -> null (forces replacement)`}},
		{"a block in which nothing is set", `"actions":["update"],"before":{"allow":[{"x":null}],"block":[],"deep":[{"in":[{}],"t":1}],"o":null},"after":{"allow":[],"block":[{"x":null}],"deep":[{"in":[],"t":1}],"o":{"x":null}}`,
			[]string{`allow[0]: {} -> absent`, `block[0]: absent -> {}`, `deep[0].in[0]: {} -> absent`, `o: null -> {}`}},
		{"such a block in a create", `"actions":["create"],"before":null,"after":{"allow":[],"block":[{"x":null,"y":[]}]}`, []string{`block[0]: absent -> {}`}},
		{"such a block in a delete", `"actions":["delete"],"before":{"allow":[],"block":[{"x":null,"y":[]}]},"after":null`, nil},
		{"an update has it", `"actions":["update"],"before":{"a":"","b":null},"after":{"a":null,"b":[]}`,
			[]string{`a: "" -> null`, `b: null -> []`}},
		{"no change", `"actions":["update"],"before":{"a":[1,{"b":2}]},"after":{"a":[1,{"b":2}]},"after_unknown":{"a":[false,{}]}`, nil},
		{"the same in other words", `"actions":["update"],"before":{"a":"\u003c","b":{"x":1,"y":2}},"after":{"b":{"y":2 , "x":1},"a":"<"}`, nil},
		{"numbers that differ in their digits", `"actions":["update"],"before":{"a":12345678901234567890},"after":{"a":12345678901234567891}`,
			[]string{`a: 12345678901234567890 -> 12345678901234567891`}},
		{"unknown instead of known", `"actions":["update"],"before":{"a":"x","b":{"c":[1,2]},"d":1},"after":{"d":1},"after_unknown":{"a":true,"b":true}`,
			[]string{`a: "x" -> unknown`, `b: {"c":[1,2]} -> unknown`}},
		{"unknown inside", `"actions":["update"],"before":{"a":[{"b":1,"c":2}]},"after":{"a":[{"c":2}]},"after_unknown":{"a":[{"b":true}]}`,
			[]string{`a[0].b: 1 -> unknown`}},
		{"unknown element", `"actions":["update"],"before":{"a":[1,2]},"after":{"a":[1,null]},"after_unknown":{"a":[false,true]}`,
			[]string{`a[1]: 2 -> unknown`}},
		{"unknown element that was null", `"actions":["update"],"before":{"a":[1,null]},"after":{"a":[1,null]},"after_unknown":{"a":[false,true]}`,
			[]string{`a[1]: null -> unknown`}},
		{"unknown elements more than there are", `"actions":["create"],"before":null,"after":{},"after_unknown":{"a":[true,{"b":true}]}`,
			[]string{`a[0]: absent -> unknown`, `a[1].b: absent -> unknown`}},
		{"unknown where null was", `"actions":["update"],"before":{"a":null},"after":{},"after_unknown":{"a":true}`,
			[]string{`a: null -> unknown`}},
		{"attributes that come and go", `"actions":["update"],"before":{"tags":{"a":"1","b":"2"}},"after":{"tags":{"b":"2","c":"3"}}`,
			[]string{`tags.a: "1" -> absent`, `tags.c: absent -> "3"`}},
		{"null that comes and goes in a map", `"actions":["update"],"before":{"tags":{"a":null}},"after":{"tags":{"b":null}}`,
			[]string{`tags.a: null -> absent`, `tags.b: absent -> null`}},
		{"null that becomes an object", `"actions":["update"],"before":{"a":null},"after":{"a":{"b":1,"c":null}}`,
			[]string{`a.b: absent -> 1`}},
		{"an object that becomes null", `"actions":["update"],"before":{"a":{"b":1}},"after":{"a":null}`,
			[]string{`a.b: 1 -> absent`}},
		{"null that becomes empty", `"actions":["update"],"before":{"a":null,"b":{}},"after":{"a":[],"b":null}`,
			[]string{`a: null -> []`, `b: {} -> null`}},
		{"values of another kind", `"actions":["update"],"before":{"a":"1","b":[1],"c":{"x":1}},"after":{"a":1,"b":{"x":1},"c":"x"}`,
			[]string{`a: "1" -> 1`, `b: [1] -> {"x":1}`, `c: {"x":1} -> "x"`}},
		{"names that need quotes", `"actions":["update"],"before":{"tags":{"Name":"a","a.b":"a","é":"a","\"\u0007":"a","":"a","0":"a","a-b":"a"}},"after":{"tags":{}}`,
			[]string{`tags[""]: "a" -> absent`, `tags["\"\a"]: "a" -> absent`, `tags["0"]: "a" -> absent`, `tags["Name"]: "a" -> absent`,
				`tags["a-b"]: "a" -> absent`, `tags["a.b"]: "a" -> absent`, `tags["é"]: "a" -> absent`}},
		{"names in another order", `"actions":["update"],"before":{"b":1,"a":1},"after":{"a":2,"b":2}`,
			[]string{`a: 1 -> 2`, `b: 1 -> 2`}},
		{"a document in a string", `"actions":["update"],"before":{"policy":"{\"a\":1}"},"after":{"policy":"{\"a\":2}"}`,
			[]string{`policy: "{\"a\":1}" -> "{\"a\":2}"`}},

		{"an element added in front", `"actions":["update"],"before":{"a":[1,2,3]},"after":{"a":[0,1,2,3]}`,
			[]string{`a[0]: absent -> 0`}},
		{"an element removed in front", `"actions":["update"],"before":{"a":[1,2,3]},"after":{"a":[2,3]}`,
			[]string{`a[0]: 1 -> absent`}},
		{"an element changed inside", `"actions":["update"],"before":{"a":[{"x":1,"y":1},{"x":2,"y":2}]},"after":{"a":[{"x":1,"y":1},{"x":2,"y":3}]}`,
			[]string{`a[1].y: 2 -> 3`}},
		{"a security group's rule that changes, while the provider writes null for what it read as empty",
			`"actions":["update"],"before":{"in":[{"d":"","port":443},{"d":"","port":80}]},"after":{"in":[{"d":"","port":8080},{"d":null,"port":443}]}`,
			[]string{`in[0].d: absent -> ""`, `in[0].port: absent -> 8080`, `in[1].d: "" -> absent`, `in[1].port: 80 -> absent`}},
		{"null for what was empty in elements of a list, and nothing else", `"actions":["update"],"before":{"in":[{"d":"","p":1},{"d":"","p":2}]},"after":{"in":[{"d":"","p":1},{"d":null,"p":2}]}`,
			[]string{`in[1].d: "" -> null`}},
		{"elements of a set that change their place", `"actions":["update"],"before":{"a":["b","c","d"]},"after":{"a":["c","d","x"]}`,
			[]string{`a[0]: "b" -> absent`, `a[2]: absent -> "x"`}},
		{"lists in lists", `"actions":["update"],"before":{"a":[[1],[2,3]]},"after":{"a":[[1],[2,4]]}`,
			[]string{`a[1][1]: 3 -> 4`}},

		{"what forces a replacement", `"actions":["delete","create"],"before":{"ami":"a","id":"i","size":"x"},"after":{"ami":"b","size":"y"},"after_unknown":{"id":true},"replace_paths":[["ami"]]`,
			[]string{`ami: "a" -> "b" (forces replacement)`, `id: "i" -> unknown`, `size: "x" -> "y"`}},
		{"what forces it from above", `"actions":["delete","create"],"before":{"disk":[{"size":1,"type":"a"}]},"after":{"disk":[{"size":2,"type":"b"}]},"replace_paths":[["disk"]]`,
			[]string{`disk[0].size: 1 -> 2 (forces replacement)`, `disk[0].type: "a" -> "b" (forces replacement)`}},
		{"what forces it from below", `"actions":["delete","create"],"before":{"disk":[{"size":1,"type":"a"}],"x":1},"after":{"x":2},"after_unknown":{"disk":true},"replace_paths":[["disk",0,"size"]]`,
			[]string{`disk: [{"size":1,"type":"a"}] -> unknown (forces replacement)`, `x: 1 -> 2`}},
		{"what forces it in a list", `"actions":["delete","create"],"before":{"disk":[{"size":1,"type":"a"}]},"after":{"disk":[{"size":2,"type":"b"}]},"replace_paths":[["disk",0,"size"]]`,
			[]string{`disk[0].size: 1 -> 2 (forces replacement)`, `disk[0].type: "a" -> "b"`}},
		{"what forces it in a map", `"actions":["delete","create"],"before":{"m":{"A":"1","B":"1"}},"after":{"m":{"A":"2","B":"2"}},"replace_paths":[["m","B"]]`,
			[]string{`m["A"]: "1" -> "2"`, `m["B"]: "1" -> "2" (forces replacement)`}},
		{"what forces it in a set", `"actions":["delete","create"],"before":{"s":["a"]},"after":{"s":["b"]},"replace_paths":[["s","a"],["s","b"]]`,
			[]string{`s[0]: "a" -> "b" (forces replacement)`}},

		{"a mark", `"actions":["update"],"before":{"pw":"old-secret","x":1},"after":{"pw":"new-secret","x":2},"before_sensitive":{"pw":true},"after_sensitive":{"pw":true}`,
			[]string{`pw: sensitive -> sensitive`, `x: 1 -> 2`}},
		{"a mark before only", `"actions":["update"],"before":{"pw":"old-secret"},"after":{"pw":"new-secret"},"before_sensitive":{"pw":true},"after_sensitive":{}`,
			[]string{`pw: sensitive -> sensitive`}},
		{"a mark after only", `"actions":["update"],"before":{"pw":"old-secret"},"after":{"pw":"new-secret"},"before_sensitive":false,"after_sensitive":{"pw":true}`,
			[]string{`pw: sensitive -> sensitive`}},
		{"a mark on what does not change", `"actions":["update"],"before":{"pw":"secret","x":1},"after":{"pw":"secret","x":2},"before_sensitive":{"pw":true},"after_sensitive":{"pw":true}`,
			[]string{`x: 1 -> 2`}},
		{"a mark on an object", `"actions":["update"],"before":{"env":{"a":"s1","b":"s2"}},"after":{"env":{"a":"s3"}},"before_sensitive":{"env":true},"after_sensitive":{"env":true}`,
			[]string{`env: sensitive -> sensitive`}},
		{"a mark on everything", `"actions":["update"],"before":{"a":"s1"},"after":{"a":"s2"},"before_sensitive":true,"after_sensitive":true`,
			[]string{`: sensitive -> sensitive`}},
		{"a mark on what is created", `"actions":["create"],"before":null,"after":{"pw":"secret","x":1},"before_sensitive":false,"after_sensitive":{"pw":true}`,
			[]string{`pw: absent -> sensitive`, `x: absent -> 1`}},
		{"a mark on what is deleted", `"actions":["delete"],"before":{"pw":"secret","x":1},"after":null,"before_sensitive":{"pw":true},"after_sensitive":false`,
			[]string{`pw: sensitive -> absent`, `x: 1 -> absent`}},
		{"a mark on what is not known", `"actions":["create"],"before":null,"after":{},"after_unknown":{"pw":true},"after_sensitive":{"pw":true}`,
			[]string{`pw: absent -> sensitive`}},
		{"a mark deep inside", `"actions":["update"],"before":{"a":[{"b":{"pw":"s1","x":1}}]},"after":{"a":[{"b":{"pw":"s2","x":2}}]},"before_sensitive":{"a":[{"b":{"pw":true}}]},"after_sensitive":{"a":[{"b":{"pw":true}}]}`,
			[]string{`a[0].b.pw: sensitive -> sensitive`, `a[0].b.x: 1 -> 2`}},
		{"marks on truth and small numbers", `"actions":["update"],"before":{"a":[{"b":true,"n":1}],"c":true},"after":{"a":[{"b":false,"n":2}],"c":false},"before_sensitive":{"a":[{"b":true}],"c":true},"after_sensitive":{"a":[{"n":true}]}`,
			[]string{`a[0].b: sensitive -> sensitive`, `a[0].n: sensitive -> sensitive`, `c: sensitive -> sensitive`}},
		{"a mark on an element that moved", `"actions":["update"],"before":{"a":["s1","b"]},"after":{"a":["b"]},"before_sensitive":{"a":[false,false]},"after_sensitive":{"a":[true]}`,
			[]string{`a[0]: sensitive -> absent`}},
		{"a mark in an object that is shown whole", `"actions":["update"],"before":{"a":{"pw":"s1","x":1}},"after":{},"after_unknown":{"a":true},"before_sensitive":{"a":{"pw":true}}`,
			[]string{`a: {"pw":"(sensitive value)","x":1} -> unknown`}},
		{"a mark on truth in an object that is shown whole", `"actions":["update"],"before":{"a":{"on":true,"x":1}},"after":{},"after_unknown":{"a":true},"before_sensitive":{"a":{"on":true}}`,
			[]string{`a: {"on":"(sensitive value)","x":1} -> unknown`}},
		{"a mark of another shape on truth", `"actions":["update"],"before":{"a":true},"after":{"a":false},"before_sensitive":{"a":{"x":true}}`,
			[]string{`a: sensitive -> sensitive`}},
		{"a mark of another shape", `"actions":["update"],"before":{"a":{"b":"s1"},"c":"s2","d":["s3"]},"after":{"a":{"b":"s4"},"c":"s5","d":["s6"]},"before_sensitive":{"a":[true],"c":{"x":true},"d":{"x":true}}`,
			[]string{`a: sensitive -> sensitive`, `c: sensitive -> sensitive`, `d: sensitive -> sensitive`}},
		{"a mark that is none", `"actions":["update"],"before":{"a":"s1","b":"s2","c":"s3"},"after":{"a":"s4","b":"s5","c":"s6"},"before_sensitive":{"a":"true","b":1,"c":null}`,
			[]string{`a: sensitive -> sensitive`, `b: sensitive -> sensitive`, `c: sensitive -> sensitive`}},
		{"marks of nothing", `"actions":["update"],"before":{"a":{"b":"x"},"l":["x"]},"after":{"a":{"b":"y"},"l":["y"]},"before_sensitive":{"a":{},"l":[false]},"after_sensitive":{"a":{},"l":[]}`,
			[]string{`a.b: "x" -> "y"`, `l[0]: "x" -> "y"`}},
		{"a secret where it is not marked", `"actions":["update"],"before":{"input":"hunter2","output":"hunter2","url":"https://u:hunter2@h/"},"after":{"input":"hunter3","url":"-"},"after_unknown":{"output":true},"before_sensitive":{"input":true},"after_sensitive":{"input":true}`,
			[]string{`input: sensitive -> sensitive`, `output: sensitive -> unknown`, `url: sensitive -> "-"`}},
		{"a secret that is an attribute's name", `"actions":["delete","create"],"before":{"password":"password"},"after":{"password":"other"},"before_sensitive":{"password":true},"replace_paths":[["password"]]`,
			[]string{`password: sensitive -> sensitive (forces replacement)`}},
		{"a secret that is a name", `"actions":["update"],"before":{"pw":"hunter2","m":{"hunter2":1}},"after":{"pw":"hunter2","m":{"hunter2":2}},"before_sensitive":{"pw":true}`,
			[]string{`m[…]: 1 -> 2`}},
		{"a secret in what is shown whole", `"actions":["update"],"before":{"pw":"hunter2","m":{"a":["hunter2"],"hunter2":1}},"after":{"pw":"hunter2"},"after_unknown":{"m":true},"before_sensitive":{"pw":true}`,
			[]string{`m: {"a":["(sensitive value)"],"(sensitive value)":1} -> unknown`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			plan := mustRead(t, document(resourceChanges(change("t.a", c.change))))
			if diff := cmp.Diff(c.want, describe(plan.Resources[0])); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReplacePathsAndImportIDsTellNoSecrets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, change, importID string
		paths                  []string
	}{
		{"plain", `"actions":["delete","create"],"importing":{"id":"i-1"},"replace_paths":[["ami"],["disk",0,"size"],["tags","Name"],["ami"],[]]`,
			"i-1", []string{"ami", "disk[0].size", `tags["Name"]`}},
		{"a sensitive map", `"actions":["delete","create"],"before":{"m":{"hunter2":"x"}},"before_sensitive":{"m":true},"replace_paths":[["m","hunter2"]]`,
			"", []string{"m"}},
		{"a sensitive resource", `"actions":["delete","create"],"before":{"hunter2":"x"},"before_sensitive":true,"importing":{"id":"hunter2"},"replace_paths":[["hunter2"]]`,
			"", nil},
		{"a set's element", `"actions":["delete","create"],"before":{"s":[{"pw":"hunter2"}]},"after_sensitive":{"s":[{"pw":true}]},"replace_paths":[["s",{"pw":"hunter2"},"x"]]`,
			"", []string{"s[…].x"}},
		{"a set of secrets", `"actions":["delete","create"],"before":{"s":["hunter2"]},"after_sensitive":{"s":[true]},"replace_paths":[["s","hunter2"]]`,
			"", []string{"s[…]"}},
		{"a secret key", `"actions":["delete","create"],"before":{"pw":"hunter2","m":{"hunter2":1}},"after_sensitive":{"pw":true},"replace_paths":[["m","hunter2"]]`,
			"", []string{"m[…]"}},
		{"a secret ID", `"actions":["no-op"],"importing":{"id":"db/hunter2"},"after":{"pw":"hunter2"},"after_sensitive":{"pw":true}`,
			"", nil},
		{"an ID that is marked", `"actions":["no-op"],"importing":{"id":"hunter2"},"after_sensitive":{"id":true}`,
			"", nil},
		{"an unknown ID", `"actions":["create"],"importing":{"unknown":true}`, "", nil},
		{"an identity", `"actions":["no-op"],"importing":{"identity":{"pw":"hunter2"}},"after":{"pw":"hunter2"},"after_sensitive":{"pw":true}`, "", nil},
		{"an ID that is a number", `"actions":["no-op"],"importing":{"id":1}`, "", nil},
		{"paths that are none", `"actions":["delete","create"],"replace_paths":["ami",1,null,[[]],[null]]`, "", []string{"[…]"}},
		{"paths that are no list", `"actions":["delete","create"],"replace_paths":{"a":["ami"]}`, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			plan := mustRead(t, document(resourceChanges(change("t.a", c.change))))
			r := plan.Resources[0]
			if r.ImportID != c.importID {
				t.Errorf("import ID is %q, want %q", r.ImportID, c.importID)
			}
			if diff := cmp.Diff(c.paths, r.ReplacePaths); diff != "" {
				t.Error(diff)
			}
			if text := fmt.Sprintf("%+v", plan.Resources); strings.Contains(text, "hunter2") {
				t.Errorf("told the secret: %s", text)
			}
		})
	}
}

func TestLongValuesAreCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	for _, pad := range []int{0, 1, 2, 3} {
		text := strings.Repeat("x", pad) + strings.Repeat("😀", maxValueText/2)
		quoted, _ := json.Marshal(text)
		plan := mustRead(t, document(resourceChanges(change("t.a", `"actions":["create"],"before":null,"after":{"a":`+string(quoted)+`}`))))
		v := plan.Resources[0].Attributes[0].New
		if !utf8.ValidString(v.Text) || !strings.HasPrefix(text, v.Text) || len(v.Text)+v.Cut != len(text) {
			t.Errorf("kept %d bytes and cut %d of %d", len(v.Text), v.Cut, len(text))
		}
		if len(v.Text) > maxValueText || len(v.Text) < maxValueText-3 {
			t.Errorf("kept %d bytes", len(v.Text))
		}
	}
}

// A secret that only what is cut off would show whole does not show in part.
func TestAValueWithASecretPastItsCutIsHidden(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", maxValueText-3) + "hunter2"
	plan := mustRead(t, document(resourceChanges(change("t.a", `"actions":["create"],"before":null,"after":{"pw":"hunter2","a":"`+text+`"},"after_sensitive":{"pw":true}`))))
	if v := plan.Resources[0].Attributes[0].New; v.Kind != Sensitive || v.Text != "" {
		t.Errorf("told %q", v.Text)
	}
}

func TestAResourceKeepsSomeAttributesAndCountsTheRest(t *testing.T) {
	t.Parallel()
	var before, after []string
	for i := range 1000 {
		before = append(before, fmt.Sprintf(`"a%04d":"x"`, i))
		after = append(after, fmt.Sprintf(`"a%04d":"y"`, i))
	}
	members := fmt.Sprintf(`"actions":["delete","create"],"before":{%s},"after":{%s},"replace_paths":[["a0900"]]`, strings.Join(before, ","), strings.Join(after, ","))
	r := mustRead(t, document(resourceChanges(change("t.a", members)))).Resources[0]
	if len(r.Attributes) != maxAttributes || r.AttributesOmitted != 1000-maxAttributes {
		t.Errorf("kept %d and omitted %d", len(r.Attributes), r.AttributesOmitted)
	}
	if last := r.Attributes[len(r.Attributes)-1]; last.Path != "a0900" || !last.ForcesReplacement {
		t.Errorf("the attribute that forces the replacement is not kept: the last is %+v", last)
	}

	long := strings.Repeat("x", maxValueText)
	for i := range after {
		after[i] = fmt.Sprintf(`"a%04d":"%s"`, i, long)
	}
	members = fmt.Sprintf(`"actions":["delete","create"],"before":{%s},"after":{%s},"replace_paths":[["a0900"]]`, strings.Join(before, ","), strings.Join(after, ","))
	r = mustRead(t, document(resourceChanges(change("t.a", members)))).Resources[0]
	size := 0
	for _, a := range r.Attributes {
		size += a.size()
	}
	if size > maxResourceBytes || len(r.Attributes)+r.AttributesOmitted != 1000 {
		t.Errorf("kept %d attributes of %d bytes and omitted %d", len(r.Attributes), size, r.AttributesOmitted)
	}
	if last := r.Attributes[len(r.Attributes)-1]; last.Path != "a0900" {
		t.Errorf("the attribute that forces the replacement is not kept: the last is %s", last.Path)
	}
}

func TestPathsAreBounded(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("é", 100_000)
	r := mustRead(t, document(resourceChanges(change("t.a", `"actions":["delete","create"],"before":{"m":{}},"after":{"m":{"`+key+`":1}},"replace_paths":[["m","`+key+`"]]`)))).Resources[0]
	for _, path := range []string{r.Attributes[0].Path, r.ReplacePaths[0]} {
		if len(path) > maxPathText+len("…") || !utf8.ValidString(path) || !strings.HasPrefix(path, `m["éé`) {
			t.Errorf("path is %d bytes: %.50s", len(path), path)
		}
	}
}

func TestOutputsAreToldWhole(t *testing.T) {
	t.Parallel()
	plan := mustRead(t, document(`"output_changes":{
		"b":{"actions":["create"],"before":null,"after":{"z":"<","a":[1,null]},"after_unknown":false,"before_sensitive":false,"after_sensitive":false},
		"a":{"actions":["update"],"before":"hunter2","after":"hunter3","before_sensitive":true,"after_sensitive":true},
		"c":{"actions":["create"],"before":null,"after_unknown":true},
		"d":{"actions":["update"],"before":[1],"after":{"x":1,"l":[1,null]},"after_unknown":{"y":{"z":true},"l":[false,true]}},
		"e":{"actions":["delete"],"before":3,"after":null},
		"f":{"actions":["no-op"],"before":3,"after":3},
		"g":{"actions":["update"],"before":{"pw":"hunter2","x":1},"after":"hunter2","before_sensitive":{"pw":true}}}`))
	var got []string
	for _, o := range plan.Outputs {
		got = append(got, fmt.Sprintf("%s %s: %s -> %s", o.Action, o.Name, describeValue(o.Old), describeValue(o.New)))
	}
	want := []string{
		`update a: sensitive -> sensitive`,
		`create b: absent -> {"z":"<","a":[1,null]}`,
		`create c: absent -> unknown`,
		`update d: [1] -> {"x":1,"l":[1,"(known after apply)"],"y":"(known after apply)"}`,
		`delete e: 3 -> absent`,
		`update g: {"pw":"(sensitive value)","x":1} -> sensitive`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if plan.Counts.Outputs != 6 {
		t.Errorf("counted %d", plan.Counts.Outputs)
	}
}

func TestChecksThatDidNotPassAreToldWorstFirst(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 10_000)
	plan := mustRead(t, document(`"checks":[
		{"address":{"to_display":"t.later"},"status":"unknown","instances":[{"address":{"to_display":"t.later"},"status":"unknown"}]},
		{"address":{"to_display":"t.none"},"status":"unknown"},
		{"address":{"to_display":"t.a"},"status":"fail","instances":[
			{"address":{"to_display":"t.a[0]"},"status":"pass"},
			{"address":{"to_display":"t.a[1]"},"status":"fail","problems":[{"message":"One."},{"message":"Two."}]},
			{"address":{"to_display":"t.a[2]"},"status":"error","problems":[{"message":"`+long+`"},{}]}]},
		{"address":{"to_display":"t.fine"},"status":"pass"}]`))
	want := []Check{
		{Address: "t.a[1]", Status: "fail", Messages: []string{"One.", "Two."}},
		{Address: "t.a[2]", Status: "error", Messages: []string{long[:maxMessageText] + "…"}},
		{Address: "t.later", Status: "unknown"},
		{Address: "t.none", Status: "unknown"},
	}
	if diff := cmp.Diff(want, plan.Checks); diff != "" {
		t.Error(diff)
	}
}
