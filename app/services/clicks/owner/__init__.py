"""What the owner of sources asks about them."""
