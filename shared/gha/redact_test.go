package gha_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/terraform-gitops/gitops/shared/gha"
)

const (
	password = `p@ss "w/o" <rd>&\+?` + "\t" + `=100%`
	key      = "-----BEGIN KEY-----\r\nMIIEvQIBADANBgkqh\r\n  \"kiG9w0BAQEFAASC\r\n}\r\n-----END KEY-----\r\n"
)

func TestSecretsAreRedactedInEveryForm(t *testing.T) {
	t.Parallel()
	asJSON := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	plainJSON := func(s string) string {
		var b strings.Builder
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(s); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for name, text := range map[string]string{
		"as it is":               "a " + password + " b",
		"JSON":                   asJSON(map[string]string{"a": password}),
		"JSON in JSON":           asJSON(asJSON([]string{password})),
		"JSON as other tools do": plainJSON(password),
		"the same in the same":   plainJSON(plainJSON(password)),
		"query":                  "https://x/?a=" + url.QueryEscape(password) + "&b",
		"path":                   "https://x/" + url.PathEscape(password) + "/b",
		"HTML":                   "p@ss &#34;w/o&#34; &lt;rd&gt;&amp;\\+?\t=100%",
		"base64":                 base64.StdEncoding.EncodeToString([]byte(password)),
		"base64 for URLs":        base64.RawURLEncoding.EncodeToString([]byte(password)),
		"base64, user 1":         base64.StdEncoding.EncodeToString([]byte("u:" + password + ":x")),
		"base64, user 2":         base64.StdEncoding.EncodeToString([]byte("us:" + password + ":xy")),
		"base64, user 3":         base64.URLEncoding.EncodeToString([]byte("use:" + password)),
		"a key":                  key,
		"a key, Unix":            strings.ReplaceAll(key, "\r\n", "\n"),
		"a key in JSON":          asJSON(key),
		"a key, indented":        "    " + strings.ReplaceAll(key, "\r\n", "\n    "),
		"a key, its last lines":  "\"kiG9w0BAQEFAASC\n}\n-----END KEY-----",
		"a key's line in JSON":   asJSON("\"kiG9w0BAQEFAASC"),
		"twice":                  password + password,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gha.New(nil, io.Discard)
			r.Redact(password, key)
			got := r.Redacted(text)
			if !strings.Contains(got, "***") {
				t.Fatalf("not redacted: %q", got)
			}
			// What may be left: the surroundings, and at the ends of base64
			// text a character that is decided by both.
			for _, piece := range []string{"p@ss", "w/o", "rd", "100", "MII", "kiG", "BEGIN", "END", "cEBzc", "MTAw"} {
				if strings.Contains(got, piece) {
					t.Errorf("%q is left in %q", piece, got)
				}
			}
		})
	}
}

func TestWholeBase64IsRedactedToItsLastCharacter(t *testing.T) {
	t.Parallel()
	r := gha.New(nil, io.Discard)
	r.Redact("secret1")
	if got := r.Redacted("c2VjcmV0MQ c2VjcmV0MQ=="); got != "*** ***==" {
		t.Errorf("got %q", got)
	}
}

func TestWhatIsNotRedacted(t *testing.T) {
	t.Parallel()
	r := gha.New(nil, io.Discard)
	r.Redact("", "abc", " x \n", "true", " false", "null", "a\nb\nc")
	const text = `abc x true "false" null YWJj dHJ1ZQ a b c`
	if got := r.Redacted(text); got != text {
		t.Errorf("got %q", got)
	}
}

func TestOverlappingSecretsLeaveNothing(t *testing.T) {
	t.Parallel()
	r := gha.New(nil, io.Discard)
	r.Redact("abcdef", "defghi", "abcd", "xyzxyz")
	for text, want := range map[string]string{
		"-abcdefghi-":   "-***-",
		"-abcdeghi-":    "-***eghi-",
		"abcdabcdef":    "******",
		"-xyzxyzxyz-":   "-***-",
		"xyzxy":         "xyzxy",
		"abcde\ndefghi": "***e\n***",
	} {
		if diff := cmp.Diff(want, r.Redacted(text)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestSecretsStayOutOfAllThatIsWritten(t *testing.T) {
	t.Parallel()
	secret := "s3cr3t: 100%, really"
	r, outputs, summary := fileCommands(t)
	r.Redact(secret)
	if err := r.SetOutput("a", "x"+secret); err != nil {
		t.Fatal(err)
	}
	if err := r.AddSummary("y " + secret); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	r = gha.New(nil, &out)
	r.Redact(secret)
	r.Warning(gha.Annotation{Title: "title " + secret, File: secret + ".tf", Message: strings.Repeat("x", 4090) + secret})
	g := r.Group("group " + secret)
	for _, b := range []byte("line " + secret + secret + "\n") {
		g.Write([]byte{b})
	}
	g.Close()
	for what, text := range map[string]string{"log": out.String(), "output": content(t, outputs), "summary": content(t, summary)} {
		if strings.Contains(text, "s3") || strings.Contains(text, "really") || !strings.Contains(text, "***") {
			t.Errorf("the %s shows %q", what, text)
		}
	}
}

func TestTheRunnersOwnCredentialsAreRedactedFromTheStart(t *testing.T) {
	t.Parallel()
	r := gha.New([]string{"ACTIONS_ID_TOKEN_REQUEST_TOKEN=request", "ACTIONS_RUNTIME_TOKEN=runtime", "GITHUB_TOKEN=ghs_1",
		"INPUT_TOKEN=ghs_2", "AWS_SECRET_ACCESS_KEY=secretkey", "AWS_SESSION_TOKEN=session"}, io.Discard)
	if got := r.Redacted("request runtime ghs_1 ghs_2 secretkey session"); got != "*** *** *** *** *** ***" {
		t.Errorf("got %q", got)
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := gha.New([]string{"GITHUB_ACTIONS=true"}, &out)
	r.Mask("user:pass,100%")
	r.Mask("line one\r\n\n  line two \nxyz\n::error::x\n")
	var masked []string
	for _, c := range run(out.String()).named("add-mask") {
		masked = append(masked, c.data)
	}
	if diff := cmp.Diff([]string{"user:pass,100%", "line one", "line two", "::error::x"}, masked); diff != "" {
		t.Error(diff)
	}
	if seen := run(out.String()); len(seen.commands) != 4 || len(seen.shown) != 0 {
		t.Errorf("the runner sees %+v", seen)
	}
	if got := r.Redacted("a user:pass,100% b"); got != "a *** b" {
		t.Errorf("got %q", got)
	}
}

func TestMaskIsNotPrintedWhereNobodyTakesIt(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := gha.New(nil, &out)
	r.Mask("credential")
	if out.Len() > 0 {
		t.Errorf("printed %q", out.String())
	}
	if got := r.Redacted("credential"); got != "***" {
		t.Errorf("got %q", got)
	}
}

func FuzzRedactSplit(f *testing.F) {
	f.Add("before ", "s3cr3t", " after\n", uint64(1))
	f.Add("", "line one\nline two", "\n", uint64(2))
	f.Add("aaa", "aaaa", "aaaaa", uint64(3))
	f.Add("abab", "ababc", "ababc\r\n", uint64(4))
	f.Add("x\r\ny", "a\r\nb\r\nc d e f", "\r", uint64(5))
	f.Add("x\r", "a\rb\rc", "\r", uint64(8))
	f.Add("##", "[err", "or]", uint64(6))
	f.Add("", "ünïcode", "\xff\xfe", uint64(7))
	f.Fuzz(func(t *testing.T, before, secret, after string, seed uint64) {
		written := func(seed uint64) string {
			var out strings.Builder
			r := gha.New(nil, &out)
			r.Redact(secret)
			g := r.Group("g")
			if seed == 0 {
				io.WriteString(g, before+secret+after)
			} else {
				writeSplit(g, before+secret+after, seed)
			}
			g.Close()
			return withoutTokens(out.String())
		}
		whole := written(0)
		if diff := cmp.Diff(whole, written(seed|1)); diff != "" {
			t.Errorf("it matters how the text is split: %s", diff)
		}
		text := strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(secret, "\r\n", "\n"), "\r", "\n"))
		hidden := strings.TrimSpace(secret)
		if len(hidden) < 4 || len(text) < 4 || hidden == "true" || hidden == "false" || hidden == "null" {
			return
		}
		body := strings.TrimSuffix(strings.TrimPrefix(whole, "::group::g\n::stop-commands::TOKEN\n"), "::TOKEN::\n::endgroup::\n")
		if strings.Contains(body, text) && !strings.Contains("***", text) {
			t.Errorf("%q is shown in %q", text, body)
		}
	})
}
