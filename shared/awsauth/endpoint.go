package awsauth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// Endpoint gives a role's credentials to a process and those that it starts, as long as they
// run. It is a server on loopback with the protocol of AWS's container credentials. Every AWS
// SDK knows that protocol, and asks again before the credentials end
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html).
//
// A client must send the endpoint's random token, which is only in the process' environment:
// see [Endpoint.Environment].
type Endpoint struct {
	region, address, token string

	renewal *renewal
	server  *http.Server
	ctx     context.Context // for renewals; Close ends it
	cancel  context.CancelFunc
	served  chan struct{} // closed when server has ended
}

// Watch has what an [Endpoint] calls.
type Watch struct {
	// Now returns the time.
	Now func() time.Time
	// Given gets the secrets of each set of credentials before anybody else, and the
	// endpoint's own token, to redact them.
	Given func(secrets ...string)
	// Failed gets the first error of a renewal, and the end of the credentials that should
	// be replaced. Until then clients get these, and their requests cause further tries.
	Failed func(err error, ends time.Time)
}

const endpointPath = "/credentials"

// Serve assumes the request's role and starts an endpoint for its credentials. It renews them,
// each time with a new ID token, also after ctx has ended: a Terraform that was interrupted
// must still be able to write its state. Close it after use.
//
// Its errors are the same as those of [Config].
func Serve(ctx context.Context, request Request, watch Watch) (*Endpoint, error) {
	cfg, role, err := load(ctx, request)
	if err != nil {
		return nil, err
	}
	if role == nil {
		return nil, errors.New("serve AWS credentials: no role is given")
	}
	e := &Endpoint{region: cfg.Region, token: rand.Text(), renewal: &renewal{provider: role, watch: watch}, served: make(chan struct{})}
	if err := e.renewal.renew(ctx); err != nil {
		return nil, err
	}
	watch.Given(e.token)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve AWS credentials: %w", err)
	}
	e.address = "http://" + listener.Addr().String() + endpointPath
	e.ctx, e.cancel = context.WithCancel(context.WithoutCancel(ctx))
	e.server = &http.Server{
		Handler:           e,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // a broken connection of a client needs no message
	}
	go func() {
		defer close(e.served)
		_ = e.server.Serve(listener) // it ends with Close: nothing else ends a listener on loopback
	}()
	return e, nil
}

// Environment returns the variables with which a process, and those that it starts, ask this
// endpoint for credentials, and the region. SDKs look in other places first: the environment
// must have no other credentials, and there must be no default profile; see
// [HideDefaultProfile].
func (e *Endpoint) Environment() map[string]string {
	return map[string]string{
		"AWS_CONTAINER_CREDENTIALS_FULL_URI": e.address,
		"AWS_CONTAINER_AUTHORIZATION_TOKEN":  e.token,
		"AWS_REGION":                         e.region,
		"AWS_DEFAULT_REGION":                 e.region, // some tools know only this one
	}
}

// Close stops the endpoint, and a renewal that has begun. Credentials that it has given stay
// valid until their end.
func (e *Endpoint) Close() error {
	e.cancel()
	err := e.server.Close()
	<-e.served
	return err
}

// ServeHTTP answers requests that have the token.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != endpointPath:
		refuse(w, http.StatusNotFound, "NotFound", "there is nothing here")
		return
	case subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(e.token)) != 1:
		refuse(w, http.StatusUnauthorized, "Unauthorized", "the authorization token is wrong")
		return
	case r.Method != http.MethodGet:
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "only GET is answered")
		return
	}
	//nolint:contextcheck // a client may give up in seconds; the next one gets the result
	credentials, err := e.renewal.retrieve(e.ctx)
	if err != nil {
		// Not a 5xx: the SDK would try again for minutes, as the renewal has done before.
		refuse(w, http.StatusForbidden, "CredentialsNotRenewed", err.Error())
		return
	}
	answer(w, http.StatusOK, map[string]string{
		"AccessKeyId":     credentials.AccessKeyID,
		"SecretAccessKey": credentials.SecretAccessKey,
		"Token":           credentials.SessionToken,
		"Expiration":      credentials.Expires.UTC().Format(time.RFC3339),
	})
}

// refuse answers with an error whose code and message SDKs show.
func refuse(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, map[string]string{"code": code, "message": message})
}

func answer(w http.ResponseWriter, status int, fields map[string]string) {
	w.Header().Set("Content-Type", "application/json") // Go's SDK reads errors of exactly this type
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(fields) // if the client is gone, nobody can be told
}
