locals {
  # What is denied to everyone, each by its conditions: test, key, value.
  #
  # A request that says nothing of encryption gets the bucket's own and passes: its keys
  # are null then, of which a StringNotEquals alone would be true.
  denials = {
    DenyPlainHTTP = { action = "s3:*", conditions = [["Bool", "aws:SecureTransport", "false"]] }
    DenyOldTLS    = { action = "s3:*", conditions = [["NumericLessThan", "s3:TlsVersion", "1.2"]] }

    # Refuses copies and multipart uploads too, which a plan or a state is never
    # written by: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    DenyReplacing = { action = "s3:PutObject", conditions = [["Null", "s3:if-none-match", "true"]] }

    DenyOtherEncryption = { action = "s3:PutObject", conditions = [
      ["Null", "s3:x-amz-server-side-encryption", "false"],
      ["StringNotEquals", "s3:x-amz-server-side-encryption", "aws:kms"],
    ] }
    DenyOtherKey = { action = "s3:PutObject", conditions = [
      ["Null", "s3:x-amz-server-side-encryption-aws-kms-key-id", "false"],
      ["StringNotEquals", "s3:x-amz-server-side-encryption-aws-kms-key-id", local.kms_key_arn],
    ] }

    # aws:kms without a key's id means the key aws/s3, not the bucket's:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    DenyAWSManagedKey = { action = "s3:PutObject", conditions = [
      ["Null", "s3:x-amz-server-side-encryption", "false"],
      ["Null", "s3:x-amz-server-side-encryption-aws-kms-key-id", "true"],
    ] }
    DenyCustomerProvidedKey = { action = "s3:PutObject", conditions = [
      ["Null", "s3:x-amz-server-side-encryption-customer-algorithm", "false"],
    ] }
  }
}

# It allows nothing: that is for the roles' own policies, or source_policy_documents.
data "aws_iam_policy_document" "bucket" {
  count = local.count

  source_policy_documents = var.source_policy_documents

  dynamic "statement" {
    for_each = local.denials

    content {
      sid       = statement.key
      effect    = "Deny"
      actions   = [statement.value.action]
      resources = [local.bucket_arn, "${local.bucket_arn}/*"]

      principals {
        type        = "*"
        identifiers = ["*"]
      }

      dynamic "condition" {
        for_each = statement.value.conditions

        content {
          test     = condition.value[0]
          variable = condition.value[1]
          values   = [condition.value[2]]
        }
      }
    }
  }

  lifecycle {
    # Two inputs, since a count can't hang on an ARN that is known only after apply.
    precondition {
      condition     = var.create_kms_key == (var.kms_key_arn == null)
      error_message = "Give kms_key_arn exactly when create_kms_key is false: set create_kms_key = false to use that key, or leave kms_key_arn out to have one made."
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  count = local.count

  bucket = aws_s3_bucket.this[0].id
  policy = data.aws_iam_policy_document.bucket[0].json

  # S3 refuses changes that meet, and a public policy must be refused from the start.
  depends_on = [aws_s3_bucket_public_access_block.this]
}
