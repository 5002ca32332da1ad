// Package awsauth turns GitHub's ID token into short-lived AWS credentials, one
// set per role, and hands each only to who needs it: as a configuration for an
// AWS client ([Config]), or to a Terraform and its providers, which ask for them
// at an [Endpoint]. No long-lived credential exists, and nothing is exported to
// later steps.
//
// GitHub signs a token that says which repository, ref and workflow a run is
// of; the role's trust policy says which of these it lets in; STS checks both
// and answers with credentials of an hour, or as long as is asked for. Either way
// they are replaced before they end, with a new token
// (https://docs.github.com/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws,
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html).
package awsauth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// Audience is the audience for which an ID token must be made, unless the
// account's identity provider was set up with another one.
const Audience = "sts.amazonaws.com"

// ErrNoRegion is returned by [Config] and [Serve] when neither the request nor the
// environment names an AWS region.
var ErrNoRegion = problem.With(problem.StoreSettings, errors.New("no AWS region: set `region` in the settings or inputs, or AWS_REGION in the job's environment"))

// expiryWindow is how long before their end a client's credentials are replaced:
// longer than any one request of ours.
const expiryWindow = 5 * time.Minute

// Request says which credentials are wanted.
type Request struct {
	// Region is the AWS region; empty means that of the environment (AWS_REGION,
	// AWS_DEFAULT_REGION, or the shared configuration's).
	Region string
	// Role is the ARN of the role to take on; empty means the ambient
	// credentials: the environment's, the shared configuration's, or the machine's.
	Role string
	// SessionName names the session in CloudTrail; see [SessionName].
	SessionName string
	// Duration is how long credentials last, 15 minutes to 12 hours, and no longer
	// than the role allows; 0 leaves it to STS, which gives an hour.
	Duration time.Duration
	// Token returns a new ID token for the audience that the account's identity
	// provider expects; see [Audience]. Only called for a role.
	Token func(context.Context) (string, error)
}

// Config returns a configuration for AWS clients with the credentials that are
// asked for. A role is taken on before it returns, so that a refusal is found
// here, and again, with a new token, before its credentials end.
//
// The error tells a person what to change where AWS refuses the role. No error
// holds a token or credential. Endpoints are those of the environment
// (AWS_ENDPOINT_URL).
func Config(ctx context.Context, request Request) (aws.Config, error) {
	cfg, role, err := load(ctx, request)
	if err != nil || role == nil {
		return cfg, err
	}
	credentials := aws.NewCredentialsCache(role, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = expiryWindow })
	if _, err := credentials.Retrieve(ctx); err != nil {
		var refusal *roleError
		if errors.As(err, &refusal) {
			err = refusal // without the cache's words around it
		}
		return aws.Config{}, err
	}
	cfg.Credentials = credentials
	return cfg, nil
}

// load reads the SDK's configuration, and returns with it what takes on the role
// that is asked for; nil when none is.
func load(ctx context.Context, request Request) (aws.Config, *roleProvider, error) {
	var options []func(*config.LoadOptions) error
	if request.Region != "" {
		options = append(options, config.WithRegion(request.Region))
	}
	if request.Role != "" {
		if !isRole(request.Role) {
			return aws.Config{}, nil, problem.With(problem.AWSRole, fmt.Errorf("role %q is not the ARN of a role, such as arn:aws:iam::123456789012:role/gitops-plan", request.Role))
		}
		// AssumeRoleWithWebIdentity is not signed; ambient credentials, also
		// broken ones, have no part in it.
		options = append(options, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, nil, problem.With(problem.AWSCredentials, fmt.Errorf("load the AWS configuration: %w", err))
	}
	if cfg.Region == "" {
		return aws.Config{}, nil, ErrNoRegion
	}
	if request.Role == "" {
		return cfg, nil, nil
	}
	return cfg, &roleProvider{client: sts.NewFromConfig(cfg), request: request}, nil
}

func isRole(role string) bool {
	parsed, err := arn.Parse(role)
	return err == nil && parsed.Service == "iam" && strings.HasPrefix(parsed.Resource, "role/")
}

// roleProvider takes on a role with a new ID token each time. The SDK's own
// provider asks for the token without a context, and says of a refusal only
// what AWS does.
type roleProvider struct {
	client  *sts.Client
	request Request
}

func (p *roleProvider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	token, err := p.request.Token(ctx)
	if err != nil {
		return aws.Credentials{}, &roleError{role: p.request.Role, cause: err}
	}
	credentials, err := stscreds.NewWebIdentityRoleProvider(p.client, p.request.Role, idToken(token),
		func(o *stscreds.WebIdentityRoleOptions) {
			o.RoleSessionName, o.Duration = p.request.SessionName, p.request.Duration
		},
	).Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, explain(p.request.Role, token, err)
	}
	return credentials, nil
}

type idToken string

func (t idToken) GetIdentityToken() ([]byte, error) { return []byte(t), nil }
