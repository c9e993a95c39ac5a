"""What every target takes from one place: the contract, the migrations, the roles, and common texts."""
