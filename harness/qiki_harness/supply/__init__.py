"""What is shipped and where it comes from: pins beside the locks, licences, bills of materials."""
