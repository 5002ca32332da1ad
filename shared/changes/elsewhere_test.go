package changes

import (
	"fmt"
	"strings"
	"testing"
)

// What one resource marks as sensitive is hidden wherever it stands whole, before and
// after that resource in the document.
func TestSensitiveValuesAreHiddenInOtherPlaces(t *testing.T) {
	const secret = "hunter2-and-more"
	plain := func(name, change string) string {
		return `{"address":"a.b[\"` + secret + `\"]","mode":"managed","type":"a","name":"` + name + `","change":{"actions":["create"],"before":null,` + change + `}}`
	}
	marked := `{"address":"a.c","mode":"managed","type":"a","name":"c","change":{"actions":["no-op"],"before":{"p":"` + secret + `"},"after":{"p":"` + secret + `"},"before_sensitive":{"p":true},"after_sensitive":{"p":true}}}`
	other := plain("b", `"after":{"x":"`+secret+`","list":["`+secret+`"],"keys":{"`+secret+`":"kept"},"text":"{\"a\":\"`+secret+`\"}"},"after_unknown":{}`)
	for _, order := range []string{marked + "," + other, other + "," + marked} {
		document := `{"format_version":"1.2","resource_changes":[` + order + `],` +
			`"output_changes":{"o":{"actions":["create"],"before":null,"after":"` + secret + `","after_unknown":false}},` +
			`"checks":[{"address":{"to_display":"check.c"},"status":"fail","instances":[{"address":{"to_display":"check.c"},"status":"fail","problems":[{"message":"it is ` + secret + `, so \"` + secret + `\""}]}]}]}`
		plan, err := Read(strings.NewReader(document), Limit{Bytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if all := fmt.Sprintf("%+v", plan); strings.Contains(all, secret) || !strings.Contains(all, "kept") {
			t.Errorf("read as %s", all)
		}
	}
	// A short one is in too many places by chance.
	plan, err := Read(strings.NewReader(strings.ReplaceAll(`{"format_version":"1.2","resource_changes":[`+marked+","+other+`]}`, secret, "admin")), Limit{Bytes: 1 << 20})
	if err != nil || !strings.Contains(fmt.Sprintf("%+v", plan), "admin") {
		t.Errorf("read as %+v, error %v", plan, err)
	}
}
