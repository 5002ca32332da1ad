// Package cloudauth signs Terraform's providers in to Google Cloud and Azure with the job's
// identity, without a secret: by workload identity federation. It keeps GitHub's ID tokens in
// files that the providers read by the standard means of their clouds. It renews them, so that
// a plan or an apply of any length finds one that is valid, and removes them at the end.
//
// Terraform gets no means to ask for ID tokens itself: each file has a token for one audience.
package cloudauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"
)

// Google is an identity of Google Cloud.
type Google struct {
	// WorkloadIdentityProvider is the full name of the pool's provider:
	// projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER.
	WorkloadIdentityProvider string
	// ServiceAccount is the email address of the service account to impersonate. If it is empty,
	// the identity itself has the permissions.
	ServiceAccount string
}

// Azure is an identity of Microsoft Entra ID: an application or a managed identity with a
// federated credential.
type Azure struct {
	ClientID, TenantID, SubscriptionID string
}

// Request says what to sign in to, and how. A nil identity is left out.
type Request struct {
	Google *Google
	Azure  *Azure
	// Token returns a new ID token for an audience.
	Token func(ctx context.Context, audience string) (string, error)
	// Dir is a private folder, in which the files are made.
	Dir string
	// Failed gets the first error of a renewal, and the end of the token that should have been
	// replaced. It is tried again until Close.
	Failed func(err error, cloud string, ends time.Time)
}

// Files are the kept files. Close removes them.
type Files struct {
	environment map[string]string
	files       []string
	cancel      context.CancelFunc
	ended       chan struct{}
	keepers     int
}

// Keep writes the files, and renews the tokens in them until Close, also after ctx has ended: a
// Terraform that was interrupted must still be able to write its state. Its errors are those of
// Request.Token, and of writing.
func Keep(ctx context.Context, request Request) (*Files, error) {
	f := &Files{environment: map[string]string{}, ended: make(chan struct{})}
	kept, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f.cancel = cancel
	for _, cloud := range []cloud{request.Google, request.Azure} {
		if cloud.absent() {
			continue
		}
		k := &keeper{request: request, cloud: cloud.name(), audience: cloud.audience(), file: filepath.Join(request.Dir, cloud.name()+"-id-token")}
		f.files = append(f.files, k.file)
		valid, err := k.renew(ctx)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("sign in to %s: %w", k.cloud, err), f.Close())
		}
		if err := cloud.configure(f, k.file); err != nil {
			return nil, errors.Join(fmt.Errorf("sign in to %s: %w", k.cloud, err), f.Close())
		}
		f.keepers++
		go func() {
			defer func() { f.ended <- struct{}{} }()
			k.keep(kept, valid)
		}()
	}
	return f, nil
}

// Environment returns the variables that lead providers and SDKs to the files.
func (f *Files) Environment() map[string]string { return maps.Clone(f.environment) }

// Close ends the renewals and removes the files. Access tokens that the clouds have given for
// them stay valid until their end.
func (f *Files) Close() error {
	f.cancel()
	for range f.keepers {
		<-f.ended
	}
	f.keepers = 0
	var err error
	for _, file := range f.files {
		if removed := os.Remove(file); !errors.Is(removed, os.ErrNotExist) {
			err = errors.Join(err, removed)
		}
	}
	return err
}

// cloud is what differs between the clouds.
type cloud interface {
	absent() bool
	name() string
	audience() string
	configure(f *Files, tokenFile string) error
}

func (g *Google) absent() bool { return g == nil }
func (g *Google) name() string { return "google" }

// audience is the one that a provider of GitHub's tokens allows if no other is configured.
// https://docs.cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines
func (g *Google) audience() string { return "https://iam.googleapis.com/" + g.WorkloadIdentityProvider }

// configure writes the file that Google's libraries look for. The token is read again for each
// access token. https://google.aip.dev/auth/4117
func (g *Google) configure(f *Files, tokenFile string) error {
	credentials := map[string]any{ //nolint:gosec // addresses, and no secret
		"type":               "external_account",
		"audience":           "//iam.googleapis.com/" + g.WorkloadIdentityProvider,
		"subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
		"token_url":          "https://sts.googleapis.com/v1/token",
		"credential_source":  map[string]any{"file": tokenFile, "format": map[string]string{"type": "text"}},
	}
	if g.ServiceAccount != "" {
		credentials["service_account_impersonation_url"] = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/" + g.ServiceAccount + ":generateAccessToken"
	}
	content, err := json.Marshal(credentials)
	if err != nil {
		return err
	}
	file := filepath.Join(filepath.Dir(tokenFile), "google-credentials.json")
	f.files = append(f.files, file)
	f.environment["GOOGLE_APPLICATION_CREDENTIALS"] = file
	f.environment["CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"] = file // gcloud, which provisioners start
	return os.WriteFile(file, content, 0o600)
}

func (a *Azure) absent() bool { return a == nil }
func (a *Azure) name() string { return "azure" }

// audience is the only one that Microsoft recommends for federated credentials.
// https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust
func (a *Azure) audience() string { return "api://AzureADTokenExchange" }

// configure sets the variables of the providers azurerm, azuread and azapi and of the backend
// azurerm (ARM_*), and of Azure's own libraries (AZURE_*).
// https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/guides/service_principal_oidc
func (a *Azure) configure(f *Files, tokenFile string) error {
	maps.Copy(f.environment, map[string]string{
		"ARM_USE_OIDC":             "true",
		"ARM_USE_CLI":              "false",
		"ARM_OIDC_TOKEN_FILE_PATH": tokenFile,
		"ARM_CLIENT_ID":            a.ClientID,
		"ARM_TENANT_ID":            a.TenantID,

		"AZURE_FEDERATED_TOKEN_FILE": tokenFile,
		"AZURE_CLIENT_ID":            a.ClientID,
		"AZURE_TENANT_ID":            a.TenantID,
	})
	if a.SubscriptionID != "" {
		f.environment["ARM_SUBSCRIPTION_ID"] = a.SubscriptionID
	}
	return nil
}

// Ambient reports whether an environment variable is a credential of the job for a cloud that
// this request signs in to. Terraform must not get it: it would have precedence, or add to the
// identity's permissions.
func (r Request) Ambient(variable string) bool {
	if r.Google != nil {
		switch variable {
		// https://registry.terraform.io/providers/hashicorp/google/latest/docs/guides/provider_reference
		case "GOOGLE_CREDENTIALS", "GOOGLE_CLOUD_KEYFILE_JSON", "GCLOUD_KEYFILE_JSON", "GOOGLE_OAUTH_ACCESS_TOKEN",
			"GOOGLE_BACKEND_CREDENTIALS", "GOOGLE_GHA_CREDS_PATH",
			"CLOUDSDK_AUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE":
			return true
		}
	}
	if r.Azure != nil {
		switch variable {
		case "ARM_CLIENT_SECRET", "ARM_CLIENT_SECRET_FILE_PATH", "ARM_CLIENT_ID_FILE_PATH",
			"ARM_CLIENT_CERTIFICATE", "ARM_CLIENT_CERTIFICATE_PATH", "ARM_CLIENT_CERTIFICATE_PASSWORD",
			"ARM_OIDC_TOKEN", "ARM_OIDC_REQUEST_TOKEN", "ARM_OIDC_REQUEST_URL", "ARM_USE_MSI", "ARM_MSI_ENDPOINT",
			"ARM_USE_AKS_WORKLOAD_IDENTITY", "ARM_ACCESS_KEY", "ARM_SAS_TOKEN",
			"AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PASSWORD",
			"AZURE_USERNAME", "AZURE_PASSWORD":
			return true
		}
	}
	return false
}
