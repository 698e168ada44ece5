"""What the cost model predicts, beside what an H200 took."""
