package fakeaws_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
)

const childVariable = "MOTOTEST_CHILD"

// TestMain lets this test binary also be a process that starts a server and
// does not stop it.
func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "" {
		os.Exit(m.Run())
	}
	server, err := fakeaws.Run(context.Background())
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(server.Endpoint)
	select {}
}

func TestServerEndsWithTheProcessThatStartedIt(t *testing.T) {
	t.Parallel()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"=1")
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(output).ReadString('\n')
	if !strings.HasPrefix(line, "http://127.0.0.1:") {
		t.Fatalf("the child did not start a server: %s", line)
	}
	motos := descendants(t, child.Process.Pid)
	if len(motos) == 0 {
		t.Fatal("the child has no process of moto_server: this test sees nothing")
	}
	if err := child.Process.Kill(); err != nil { // SIGKILL: nothing of the child's own can clean up
		t.Fatal(err)
	}
	_ = child.Wait()
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		var alive []string
		for _, pid := range motos {
			if exec.Command("kill", "-0", pid).Run() == nil {
				alive = append(alive, pid)
			}
		}
		if len(alive) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("processes %v outlive the one that started them", alive)
		}
	}
}

// descendants are the ids of a process's children and theirs.
func descendants(t *testing.T, pid int) (pids []string) {
	t.Helper()
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		t.Fatalf("ps: %v", err)
	}
	children := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) == 2 {
			children[f[1]] = append(children[f[1]], f[0])
		}
	}
	next := []string{fmt.Sprint(pid)}
	for len(next) > 0 {
		found := children[next[0]]
		pids, next = append(pids, found...), append(next[1:], found...)
	}
	return pids
}

func TestCloseStopsTheServer(t *testing.T) {
	t.Parallel()
	server, err := fakeaws.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	cfg := server.Config()
	cfg.RetryMaxAttempts = 1
	if _, err := dynamodb.NewFromConfig(cfg).ListTables(t.Context(), &dynamodb.ListTablesInput{}); err == nil {
		t.Fatal("the server still answers")
	}
}

// Without the serializer this loses acknowledged writes.
func TestConcurrentTransactionsDoNotLoseWrites(t *testing.T) {
	t.Parallel()
	cfg := fakeaws.Start(t).Config()
	_, table := fakeaws.CreateStore(t, cfg)
	client := dynamodb.NewFromConfig(cfg)
	key := func(pk string) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: "x"},
		}
	}
	// The copy of the table that moto makes for each transaction must take long
	// enough for another request to get in between.
	for batch := range 60 {
		var writes []types.WriteRequest
		for i := range 25 {
			writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: key(fmt.Sprint("other", batch, "-", i))}})
		}
		if _, err := client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: writes}}); err != nil {
			t.Fatal(err)
		}
	}
	var won atomic.Int32
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: key(fmt.Sprint("own", i))}); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			_, err := client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{Put: &types.Put{TableName: &table, Item: key("one"), ConditionExpression: aws.String("attribute_not_exists(pk)")}},
			}})
			var cancelled *types.TransactionCanceledException
			switch {
			case err == nil:
				won.Add(1)
			case !errors.As(err, &cancelled):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d transactions put the item that only one may put", won.Load())
	}
	for i := range 40 {
		got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &table, Key: key(fmt.Sprint("own", i))})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Item) == 0 {
			t.Errorf("item own%d was acknowledged and is lost", i)
		}
	}
}
