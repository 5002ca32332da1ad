package job

import (
	"encoding/json"
	"strings"

	"github.com/hashicorp/terraform-config-inspect/tfconfig"
)

// secrets are the values of the root module's sensitive variables that the
// environment holds. Terraform itself hides what it knows to be sensitive, but a
// provider's or provisioner's words may hold a value all the same. Of a value
// that is JSON, such as an object, each string in it counts, too.
func secrets(environ []string, dir string) []string {
	values := map[string]string{}
	for _, v := range environ {
		if name, value, ok := strings.Cut(v, "="); ok && strings.HasPrefix(name, "TF_VAR_") {
			values[strings.TrimPrefix(name, "TF_VAR_")] = value
		}
	}
	if len(values) == 0 {
		return nil
	}
	// What can't be read here Terraform can't read either, and says so better.
	module, _ := tfconfig.LoadModule(dir)
	var all []string
	for name, value := range values {
		if v := module.Variables[name]; v == nil || !v.Sensitive {
			continue
		}
		all = append(all, value)
		var structured any
		if json.Unmarshal([]byte(value), &structured) == nil {
			all = appendStrings(all, structured)
		}
	}
	return all
}

func appendStrings(all []string, value any) []string {
	switch v := value.(type) {
	case string:
		all = append(all, v)
	case []any:
		for _, item := range v {
			all = appendStrings(all, item)
		}
	case map[string]any:
		for _, item := range v {
			all = appendStrings(all, item)
		}
	}
	return all
}
