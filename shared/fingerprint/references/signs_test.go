package references

import (
	"slices"
	"testing"
)

func TestTheBlocksOfARootModuleAreFound(t *testing.T) {
	t.Parallel()
	both := Signs{Backend: true, Provider: true}
	for content, want := range map[string]Signs{
		`terraform {
  backend "s3" {}
}`: {Backend: true},
		"terraform {\n  backend s3 {\n  }\n}":                            {Backend: true},
		"terraform {\n  cloud {\n    organization = \"acme\"\n  }\n}":    {Backend: true},
		"/* all */ provider \"aws\" {\n}":                                {Provider: true},
		"provider /* which */ \"aws\" {\n}":                              {Provider: true},
		"terraform {\n  backend \"s3\" {}\n}\nprovider \"aws\" {}\n":     both,
		"# terraform {\n#   backend \"s3\" {}\n# }\n":                    {},
		"// provider \"aws\" {}\n":                                       {},
		"/*\nprovider \"aws\" {\n}\n*/":                                  {},
		"locals {\n  x = <<EOT\nprovider \"aws\" {\n}\nEOT\n}\n":         {},
		"locals {\n  x = <<-EOT\n  backend \"s3\" {\n  }\n  EOT\n}\n":    {},
		"resource \"x\" \"y\" {\n  provider = aws.west\n}\n":             {},
		"resource \"x\" \"y\" {\n  backend {\n  }\n}\n":                  {},
		"resource \"x\" \"y\" {\n  provider \"aws\" {\n  }\n}\n":         {},
		"terraform {\n  required_providers {\n    aws = { }\n  }\n}\n":   {},
		"variable \"backend\" {}\n":                                      {},
		"# the provider is set by the caller\nresource \"a\" \"b\" {}\n": {},
		"terraform {\n  backend \"s3\" {\n    bucket = \n  }\n}\n":       {Backend: true}, // not valid
		"provider \"aws\" {\n  region = \"x\n}\n":                        {Provider: true},
		"": {},
	} {
		if got := (&File{Name: "main.tf", Content: []byte(content)}).Signs(); got != want {
			t.Errorf("%+v, want %+v, in:\n%s", got, want, content)
		}
	}
	for content, want := range map[string]Signs{
		`{"terraform": {"backend": {"s3": {}}}}`:                                   {Backend: true},
		`{"terraform": [{"backend": [{"s3": {}}]}]}`:                               {Backend: true},
		`{"terraform": {"cloud": {"organization": "acme"}}}`:                       {Backend: true},
		`{"provider": {"aws": [{"region": "x"}]}}`:                                 {Provider: true},
		`{"provider": {}}`:                                                         {},
		`{"//": "provider {", "resource": {"x": {"y": {"provider": "aws.west"}}}}`: {},
		`{"variable": {"backend": {}}}`:                                            {},
		`{"provider": {"aws": {}`:                                                  {Provider: true}, // not valid
	} {
		if got := (&File{Name: "main.tf.json", Content: []byte(content)}).Signs(); got != want {
			t.Errorf("%+v, want %+v, in %s", got, want, content)
		}
	}
}

// 500 brackets would end HCL's parser. A file with few of them is not split into tokens first.
func TestAShortFileWithoutBracketsIsNotTooDeep(t *testing.T) {
	t.Parallel()
	if mayBeTooDeep([]byte("provider \"aws\" {}\n")) {
		t.Error("it may be")
	}
	deep := append([]byte("x = "), make([]byte, mostNested+1)...)
	for i := range deep[4:] {
		deep[4+i] = '('
	}
	if body, ok := (&File{Name: "main.tf", Content: deep}).body(); ok || body != nil {
		t.Error("it was parsed")
	}
}

func TestWhatAFileMayCallHasAllThatItCalls(t *testing.T) {
	t.Parallel()
	for name, contents := range map[string][]string{
		"main.tf": {
			"module \"a\" {\n  source = \"./a\"\n}\nmodule \"b\" {\n  version = 1\n  source  = (\"../b\")\n}\n",
			"module \"a\" {\n  source=\"../a/${var.x}/c\"\n}\n", "module \"a\" {\n  source = \"../a$${b\"\n}\n",
			"module \"a\" {\n  source = \"\\u002e/a\"\n}\n", "module \"a\" {\n  source = \"./%{ if true }a%{ endif }\"\n}\n",
			"module \"a\" {\n  source = (\n    \"./a\"\n  )\n}\n", "module \"a\" {\n  source = var.x\n}\n",
			"module \"a\" {\n  source = \"./a\" # \"./c\"\n}\n", "module \"a\" {\n  source /* x */ = \"./a\"\n}\n",
		},
		"main.tf.json": {`{"module": {"a": {"source": "./a"}, "b": [{"source": ".\/b"}]}}`},
	} {
		for _, content := range contents {
			f := &File{Name: name, Content: []byte(content)}
			calls, _ := f.Calls()
			for _, c := range calls {
				if may := f.MayCall(); !slices.Contains(may, c.Source) {
					t.Errorf("%s is called, and may be called are %v, in:\n%s", c.Source, may, content)
				}
			}
		}
	}
	if may := (&File{Name: "main.tf", Content: []byte("# the module is in source = \"./a\"\n")}).MayCall(); len(may) != 1 {
		t.Error(may) // Calls tells
	}
}
