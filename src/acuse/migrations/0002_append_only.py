"""The ledger is append-only: the database itself refuses to change or remove a line.

Installations with a separate application role also revoke UPDATE, DELETE and TRUNCATE on it
(docs/operations.md); a trigger alone stops accidents, grants stop the application.
"""

from django.db import migrations

TABLES = ("acuse_ledgerline", "acuse_checkpoint")

REFUSE = """
create function acuse_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: % refused', tg_table_name, tg_op
        using errcode = 'restrict_violation';
end
$$;
"""

GUARD = """
create trigger append_only_rows before update or delete on {0}
    for each row execute function acuse_refuse_change();
create trigger append_only_table before truncate on {0}
    for each statement execute function acuse_refuse_change();
"""

RELEASE = """
drop trigger append_only_rows on {0};
drop trigger append_only_table on {0};
"""


class Migration(migrations.Migration):
    dependencies = [("acuse", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE, "drop function acuse_refuse_change();"),
        *[migrations.RunSQL(GUARD.format(name), RELEASE.format(name)) for name in TABLES],
    ]
