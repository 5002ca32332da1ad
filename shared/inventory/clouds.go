package inventory

import (
	"errors"
	"fmt"
	"regexp"
)

// Clouds are the identities that Terraform's providers have in clouds other than AWS. They sign in
// to none whose identity is empty.
type Clouds struct {
	Google Google
	Azure  Azure
}

// Google is an identity of Google Cloud: the full name of a workload identity pool's provider
// (projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER) and the email
// address of a service account, which may be empty.
type Google struct{ WorkloadIdentityProvider, ServiceAccount string }

// Azure is an identity of Microsoft Entra ID, and the subscription that providers use.
type Azure struct{ ClientID, TenantID, SubscriptionID string }

// https://docs.cloud.google.com/iam/docs/manage-workload-identity-pools-providers
// https://docs.cloud.google.com/iam/docs/service-accounts-create
var (
	workloadIdentityProvider = regexp.MustCompile(`^projects/[0-9]+/locations/global/workloadIdentityPools/[a-z0-9-]{4,32}/providers/[a-z0-9-]{4,32}$`)
	serviceAccount           = regexp.MustCompile(`^[A-Za-z0-9._-]+@[A-Za-z0-9.:_-]+\.gserviceaccount\.com$`)
	uuid                     = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
)

// CheckCloudSetting refuses a value that the key (such as client-id) can't have. An empty value
// stands for no value.
func CheckCloudSetting(key, value string) error {
	var ok bool
	want := "a UUID, such as 00000000-1111-2222-3333-444444444444"
	switch key {
	case "workload-identity-provider":
		ok, want = workloadIdentityProvider.MatchString(value), "projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER, with the project's number"
	case "service-account":
		ok, want = serviceAccount.MatchString(value), "an email address that ends in .gserviceaccount.com"
	default:
		ok = uuid.MatchString(value)
	}
	if ok || value == "" {
		return nil
	}
	return fmt.Errorf("it must be %s", want)
}

// Check refuses an identity with which no provider can sign in. Its values are checked by
// [CheckCloudSetting].
func (c Clouds) Check() error {
	switch g, a := c.Google, c.Azure; {
	case g.ServiceAccount != "" && g.WorkloadIdentityProvider == "":
		return errors.New("google has a service-account and no workload-identity-provider: set both")
	case a != Azure{} && (a.ClientID == "" || a.TenantID == ""):
		return errors.New("azure needs a client-id and a tenant-id: set both")
	}
	return nil
}
