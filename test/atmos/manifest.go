package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// readManifest returns a manifest as it is, and merged over its imports. chain are the manifests that
// import it.
func readManifest(root, file string, imports map[string]section, chain ...string) (manifest, merged section, err error) {
	content, err := os.ReadFile(filepath.Join(root, file+".yaml"))
	if err != nil {
		return nil, nil, fmt.Errorf("stand-in: %w", err)
	}
	if manifest, err = parseManifest(content); err != nil {
		return nil, nil, invalidManifest(append(chain, file), err)
	}
	list, _ := manifest["import"].([]any)
	for _, entry := range list {
		name, ok := entry.(string)
		if !ok {
			return nil, nil, fmt.Errorf("stand-in: %s: an import must be a name", file)
		}
		name = strings.TrimSuffix(name, ".yaml")
		imported, below, err := readManifest(root, name, imports, append(chain, file)...)
		if err != nil {
			return nil, nil, err
		}
		imports[name] = imported
		merged = merge(merged, below)
	}
	return manifest, merge(merged, manifest), nil
}

var (
	tagged   = regexp.MustCompile(`(^|[\s:,\[{-])![A-Za-z]`)
	position = regexp.MustCompile(`^\[(\d+):\d+\]`)
)

// invalidManifest returns Atmos' error for YAML that can't be read. The line may differ from Atmos',
// which uses another YAML library.
func invalidManifest(chain []string, err error) error {
	file := chain[len(chain)-1]
	if !modern() {
		return fmt.Errorf("invalid stack manifest %s: %w", file, err)
	}
	line := "1"
	if at := position.FindStringSubmatch(err.Error()); at != nil {
		line = at[1]
	}
	arrows := ""
	for i, file := range chain {
		arrows += "\n" + strings.Repeat("  ", i+1) + " → " + file + ".yaml"
	}
	return &failure{
		"invalid stack manifest: failed to parse YAML for locals extraction (hint: if this file contains Go template directives, rename it to .yaml.tmpl): yaml: line " + line + ": did not find expected node content",
		" File being processed: " + file + ".yaml\n Import chain:" + arrows + "\n stack manifest '" + file + ".yaml'",
	}
}

// parseManifest reads YAML. A value with one of Atmos' tags becomes a text of the tag and the value,
// as in Atmos before it calls the function.
func parseManifest(content []byte) (section, error) {
	manifest := section{}
	if !tagged.Match(content) {
		err := yaml.Unmarshal(content, &manifest)
		return manifest, err
	}
	file, err := parser.ParseBytes(content, 0)
	if err != nil {
		return nil, err
	}
	for _, doc := range file.Docs {
		value, err := plain(doc.Body)
		if err != nil {
			return nil, err
		}
		if m, ok := value.(section); ok {
			manifest = m
		}
	}
	return manifest, nil
}

func plain(node ast.Node) (any, error) {
	switch n := node.(type) {
	case *ast.MappingNode:
		m := section{}
		for _, entry := range n.Values {
			if err := put(m, entry); err != nil {
				return nil, err
			}
		}
		return m, nil
	case *ast.MappingValueNode:
		m := section{}
		return m, put(m, n)
	case *ast.SequenceNode:
		list := []any{}
		for _, element := range n.Values {
			value, err := plain(element)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	case *ast.TagNode:
		if text, ok := n.Value.(*ast.StringNode); ok {
			return n.Start.Value + " " + text.Value, nil
		}
	}
	var value any
	err := yaml.NodeToValue(node, &value)
	return value, err
}

func put(m section, entry *ast.MappingValueNode) error {
	var key any
	if err := yaml.NodeToValue(entry.Key, &key); err != nil {
		return err
	}
	value, err := plain(entry.Value)
	m[fmt.Sprint(key)] = value
	return err
}
