// Command provider is two Terraform providers for tests, by the name that it is started with.
//
// example.com/test/built, of terraform-plugin-framework, has a data source that writes a zip during a
// plan, as archive_file of hashicorp/archive does, a resource that reads a file during an apply, as
// aws_lambda_function does, and one that has an attribute of each type.
//
// example.com/test/legacy, of terraform-plugin-sdk, as most large providers are, has a resource whose
// objects are files. It returns empty values for null, and fails as it is told.
package main

import (
	"context"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-sdk/v2/plugin"
)

func main() {
	if strings.Contains(filepath.Base(os.Args[0]), "legacy") {
		plugin.Serve(&plugin.ServeOpts{ProviderFunc: legacy, ProviderAddr: "example.com/test/legacy"})
		return
	}
	err := providerserver.Serve(context.Background(), func() provider.Provider { return built{} }, providerserver.ServeOpts{Address: "example.com/test/built"})
	if err != nil {
		log.Fatal(err)
	}
}
