terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

locals {
  grant = {
    Effect    = "Allow"
    Principal = { Service = "logging.s3.amazonaws.com" }
    Action    = "s3:PutObject"
    Condition = { StringEquals = { "aws:SourceAccount" = "111122223333" } }
  }
}

# The log bucket: it takes app/ and nothing else.
resource "aws_s3_bucket" "logs" {
  bucket = "amzn-s3-demo-logs"
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.bucket
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [merge(local.grant, { Resource = "arn:aws:s3:::amzn-s3-demo-logs/app/*" })]
  })
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  bucket = aws_s3_bucket.logs.bucket
  rule {
    id     = "expire"
    status = "Enabled"
    filter {
      prefix = ""
    }
    expiration {
      days = 365
    }
  }
}

# A log bucket that encrypts with the AWS managed key.
resource "aws_s3_bucket" "kms_logs" {
  bucket = "amzn-s3-demo-kms-logs"
}

resource "aws_s3_bucket_policy" "kms_logs" {
  bucket = aws_s3_bucket.kms_logs.bucket
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [merge(local.grant, { Resource = "arn:aws:s3:::amzn-s3-demo-kms-logs/*" })]
  })
}

resource "aws_s3_bucket_server_side_encryption_configuration" "kms_logs" {
  bucket = aws_s3_bucket.kms_logs.bucket
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "aws:kms"
    }
  }
}

resource "aws_s3_bucket" "app" {
  bucket = "amzn-s3-demo-app"
}

resource "aws_s3_bucket_logging" "app" {
  bucket        = aws_s3_bucket.app.bucket
  target_bucket = aws_s3_bucket.logs.bucket
  target_prefix = "app/"
}

resource "aws_s3_bucket" "web" {
  bucket = "amzn-s3-demo-web"
}

resource "aws_s3_bucket_logging" "web" {
  bucket        = aws_s3_bucket.web.bucket
  target_bucket = aws_s3_bucket.logs.bucket
  target_prefix = "web/"
}

resource "aws_s3_bucket" "pay" {
  bucket = "amzn-s3-demo-pay"
}

resource "aws_s3_bucket_logging" "pay" {
  bucket        = aws_s3_bucket.pay.bucket
  target_bucket = aws_s3_bucket.kms_logs.bucket
  target_prefix = "pay/"
}

resource "aws_s3_bucket" "loop" {
  bucket = "amzn-s3-demo-loop"
}

resource "aws_s3_bucket_logging" "loop" {
  bucket        = aws_s3_bucket.loop.bucket
  target_bucket = aws_s3_bucket.loop.bucket
  target_prefix = "own/"
}

resource "aws_s3_bucket" "bare" {
  bucket = "amzn-s3-demo-bare"
}
