using System.Globalization;

namespace Supervisor.Config.Import;

/// <summary>The listener of a fcgi-program.</summary>
internal static class SupervisordSocket
{
    /// <summary>Writes the listener; null if its socket cannot be translated.</summary>
    public static DraftSection? Translate(SourceSection section, string name, SupervisordExpansion expansion, ImportDraft draft)
    {
        if (section.Last("socket") is not { } setting)
        {
            draft.Lost(section, "the fcgi-program has no socket");
            return null;
        }

        if (expansion.Expand(setting.Value, out var reason) is not { } address)
        {
            draft.Lost(setting, reason);
            return null;
        }

        if (!address.Contains("://", StringComparison.Ordinal))
        {
            draft.Lost(setting, "a socket is unix:///PATH or tcp://HOST:PORT");
            return null;
        }

        var listener = draft.Add("listener", name, section.File);
        listener.Set("address", TomlLiteral.Of(ImportedHosts.Numeric(address, out var remark)), setting, remark);
        var isUnix = address.StartsWith("unix:", StringComparison.Ordinal);
        if (isUnix)
        {
            var mode = section.Last("socket_mode");
            listener.Set(
                "unix.mode", TomlLiteral.Of((mode?.Value ?? "0700").PadLeft(4, '0')), mode, mode is null ? "supervisord's default" : null);
            listener.Set("unix.remove_stale", TomlLiteral.Of(true), null, "supervisord does the same");
        }

        if (isUnix && section.Last("socket_owner") is null && section.Last("user") is { } user)
        {
            listener.Set("unix.user", TomlLiteral.Of(user.Value), user, "supervisord's default is the user of the program");
            listener.Set("unix.group", TomlLiteral.Of(user.Value), user, "supervisord takes the user's primary group: check its name");
        }

        if (section.Last("socket_owner") is { } owner)
        {
            var parts = owner.Value.Split([':', '.'], 2);
            listener.Set("unix.user", TomlLiteral.Of(parts[0]), owner);
            if (parts.Length > 1)
            {
                listener.Set("unix.group", TomlLiteral.Of(parts[1]), owner);
            }
        }

        if (section.Last("socket_backlog") is { } backlog)
        {
            var isNumber = int.TryParse(backlog.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var length);
            listener.Set("listen.backlog", TomlLiteral.Of(isNumber ? length : 4096), backlog);
        }

        return listener;
    }
}
