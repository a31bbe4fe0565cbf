namespace Supervisor.Config.Validation;

/// <summary>When a configuration is validated. A rule names the profiles in which it runs.</summary>
[Flags]
public enum Profile
{
    /// <summary>Never.</summary>
    None = 0,

    /// <summary><c>listend check</c>: everything, however long it takes.</summary>
    Check = 1,

    /// <summary>A start of the daemon: what makes the whole configuration unusable. Without slow checks.</summary>
    Start = 2,

    /// <summary>A reload, and its dry run. Never on the loop.</summary>
    Reload = 4,

    /// <summary><c>listend check-state</c>: a new executable before it replaces the running daemon.</summary>
    State = 8,

    /// <summary>Soon after a start: checks for which a start does not wait, and which stop only the service concerned.</summary>
    Started = 16,

    /// <summary>Whenever a configuration is read for use.</summary>
    Always = Check | Start | Reload | State,
}
