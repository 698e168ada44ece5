"""What a folder of C is made of; ``example_net`` stands for the name, ``@...@`` for the rest."""
