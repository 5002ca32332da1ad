# The keys that the plan store uses, and each property that keeps its records safe, on
# mocked resources: nothing is created. Needs Terraform 1.7 (OpenTofu 1.8).

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_resource "aws_dynamodb_table" {
    defaults = { arn = "arn:aws:dynamodb:us-east-2:111122223333:table/acme-terraform-plans" }
  }
}

variables {
  name = "acme-terraform-plans"
}

run "by_default" {
  assert {
    condition     = aws_dynamodb_table.this[0].name == "acme-terraform-plans"
    error_message = "The table has another name."
  }

  assert {
    condition     = aws_dynamodb_table.this[0].hash_key == "pk" && aws_dynamodb_table.this[0].range_key == "sk"
    error_message = "The table's keys are not pk and sk."
  }

  assert {
    condition = { for index in aws_dynamodb_table.this[0].global_secondary_index : index.name => [index.hash_key, index.range_key, index.projection_type] } == {
      by-pull-request = ["pullRequest", "createdAt", "ALL"]
      by-run          = ["run", "pk", "ALL"]
      by-day          = ["claimedOn", "claimedAt", "ALL"]
    }
    error_message = "The indexes are not those of the plan store."
  }

  assert {
    condition = { for attribute in aws_dynamodb_table.this[0].attribute : attribute.name => attribute.type } == {
      pk = "S", sk = "S", pullRequest = "S", createdAt = "S", run = "S", claimedOn = "S", claimedAt = "S"
    }
    error_message = "A key is missing or is not text."
  }

  assert {
    condition     = aws_dynamodb_table.this[0].billing_mode == "PAY_PER_REQUEST"
    error_message = "The table is not paid on demand."
  }

  assert {
    condition     = aws_dynamodb_table.this[0].ttl[0].enabled && aws_dynamodb_table.this[0].ttl[0].attribute_name == "expiresAt"
    error_message = "Records do not expire by expiresAt."
  }

  assert {
    condition     = aws_dynamodb_table.this[0].point_in_time_recovery[0].enabled
    error_message = "The table can't be brought back to an earlier time."
  }

  assert {
    condition     = aws_dynamodb_table.this[0].deletion_protection_enabled
    error_message = "The table can be deleted."
  }

  # Without an ARN it is the key that AWS manages.
  assert {
    condition     = aws_dynamodb_table.this[0].server_side_encryption[0].enabled && aws_dynamodb_table.this[0].server_side_encryption[0].kms_key_arn != "arn:aws:kms:us-east-2:111122223333:key/given"
    error_message = "The table is not encrypted with a KMS key of the account."
  }

  assert {
    condition     = length(aws_dynamodb_resource_policy.this) == 0
    error_message = "There is a resource policy that nobody asked for."
  }

  assert {
    condition     = output.name == "acme-terraform-plans" && output.arn == "arn:aws:dynamodb:us-east-2:111122223333:table/acme-terraform-plans"
    error_message = "An output says something else than what was made."
  }
}

run "encrypts_with_a_given_key" {
  variables {
    kms_key_arn = "arn:aws:kms:us-east-2:111122223333:key/given"
  }

  assert {
    condition     = aws_dynamodb_table.this[0].server_side_encryption[0].enabled && aws_dynamodb_table.this[0].server_side_encryption[0].kms_key_arn == "arn:aws:kms:us-east-2:111122223333:key/given"
    error_message = "The table is encrypted with another key than the given one."
  }
}

run "has_a_resource_policy_where_asked_to" {
  variables {
    resource_policy_documents = ["{\"Version\":\"2012-10-17\",\"Statement\":[]}"]
  }

  assert {
    condition     = data.aws_iam_policy_document.this[0].source_policy_documents == tolist(["{\"Version\":\"2012-10-17\",\"Statement\":[]}"])
    error_message = "The resource policy is not of the given documents."
  }

  assert {
    condition = (
      aws_dynamodb_resource_policy.this[0].resource_arn == aws_dynamodb_table.this[0].arn &&
      aws_dynamodb_resource_policy.this[0].policy == data.aws_iam_policy_document.this[0].json
    )
    error_message = "The resource policy is of another table, or another policy."
  }
}

run "can_be_deleted_where_asked_to" {
  variables {
    deletion_protection_enabled = false
  }

  assert {
    condition     = !aws_dynamodb_table.this[0].deletion_protection_enabled
    error_message = "deletion_protection_enabled has no effect."
  }
}

run "tags_the_table" {
  variables {
    tags = { team = "platform" }
  }

  assert {
    condition     = aws_dynamodb_table.this[0].tags == tomap({ team = "platform" })
    error_message = "The table lacks its tags."
  }
}

run "creates_nothing_where_asked_to" {
  variables {
    create                    = false
    resource_policy_documents = ["{\"Version\":\"2012-10-17\",\"Statement\":[]}"]
  }

  assert {
    condition     = length(aws_dynamodb_table.this) == 0 && length(aws_dynamodb_resource_policy.this) == 0
    error_message = "Something was created."
  }

  assert {
    condition     = output.name == null && output.arn == null
    error_message = "An output names what is not there."
  }
}
