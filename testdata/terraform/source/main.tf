resource "aws_s3_bucket" "app" {
  bucket = "app-data"
}

resource "aws_s3_bucket_logging" "app" {
  bucket        = aws_s3_bucket.app.id
  target_bucket = module.logs.id
  target_prefix = "app/"
}

module "logs" {
  source = "./logs"
}
