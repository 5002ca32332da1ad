package render

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"regexp"
	"slices"
	"strings"
)

//go:embed look.js
var lookJS string

// seen is what the browser found in one text's page.
type seen struct {
	Name string `json:"name"`
	// Problems are elements, attributes and texts that no report has, before or after the
	// sanitiser.
	Problems []string `json:"problems"`
	Links    []string `json:"links"`
	Comments []string `json:"comments"` // hidden ones; the sanitiser takes them away
	Clean    bool     `json:"clean"`    // the sanitiser took nothing else away
}

// visit is what the browser did with a page.
type visit struct {
	Articles []seen   `json:"articles"`
	Ran      []string `json:"ran"`     // scripts of ours that a text had run
	Fetched  []string `json:"fetched"` // addresses
}

// follows is what a person could write below a report. If the report has left something open, follows
// becomes part of it.
const follows = "\n\n## What follows\n"

// look loads texts in the browser, all on one page.
func look(ctx context.Context, root string, markdown map[string]string) (visit, error) {
	names := slices.Sorted(maps.Keys(markdown))
	var texts []string
	for _, name := range names {
		texts = append(texts, markdown[name]+follows)
	}
	all, err := pages(ctx, root, texts)
	if err != nil {
		return visit{}, err
	}
	var b strings.Builder
	b.WriteString("<!DOCTYPE html><meta charset=utf-8><script>var ran = []; function evil_1() { ran.push('evil_1') }</script>")
	for i, p := range all {
		name := html.EscapeString(names[i])
		fmt.Fprintf(&b, "<article class=raw data-name=\"%s\">%s</article><article data-name=\"%s\">%s</article>\n", name, p.Raw, name, p.Page)
	}
	fmt.Fprintf(&b, "<pre id=seen></pre><script>%s</script>", lookJS)
	dom, err := browse(ctx, b.String(), "--dump-dom")
	if err != nil {
		return visit{}, err
	}
	found := regexp.MustCompile(`<pre id="seen">([^<]*)</pre>`).FindSubmatch(dom)
	if found == nil {
		return visit{}, fmt.Errorf("the browser's page does not say what is in it: a text has swallowed the rest of\n%.2000s", dom)
	}
	var v visit
	if err := json.Unmarshal([]byte(html.UnescapeString(string(found[1]))), &v); err != nil {
		return visit{}, fmt.Errorf("what the browser saw: %w", err)
	}
	if len(v.Articles) != len(names) {
		return visit{}, fmt.Errorf("the browser saw %d of %d texts: one has closed what is around it", len(v.Articles), len(names))
	}
	return v, nil
}
