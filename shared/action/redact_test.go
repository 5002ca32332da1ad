package action

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// Escaping for Markdown would change this secret, and cutting could halve it.
const secret = "p|`ss w0rd\n<of several> lines"

// fill sets every string of v to a text with the secret, and gives every list one item.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString("with " + secret + " in it")
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes(fmt.Appendf(nil, "[%q]", secret))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	}
}

func TestNoTextOfAReportKeepsASecret(t *testing.T) {
	t.Parallel()
	r := gha.New(nil, io.Discard)
	r.Redact(secret)
	var plan report.Plan
	var apply report.Apply
	fill(reflect.ValueOf(&plan).Elem())
	fill(reflect.ValueOf(&apply).Elem())
	if text := fmt.Sprintf("%+v %+v", plan, apply); strings.Count(text, secret) < 40 {
		t.Fatalf("the reports hold few texts: this test sees nothing:\n%s", text)
	}
	before := plan.Changes.Digest
	redacted, changes := Redact(r, plan), *Redact(r, plan.Changes)
	for _, text := range []string{
		fmt.Sprintf("%+v %+v %+v", redacted, changes, Redact(r, apply)),
		redacted.Markdown(markdown.SummaryLimit), Redact(r, apply).Markdown(markdown.SummaryLimit),
	} {
		for _, part := range []string{"w0rd", "of several"} {
			if i := strings.Index(text, part); i >= 0 {
				t.Errorf("%q is shown: …%s…", part, text[max(0, i-80):min(len(text), i+80)])
			}
		}
	}
	if plan.Changes.Digest != before {
		t.Error("the report itself was changed")
	}
}
