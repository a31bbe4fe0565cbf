using System.Globalization;
using Supervisor.Config.Values;

namespace Supervisor.Config.Import;

/// <summary>
/// The command of a watcher. Circus gives a process only the variables of [env], unless <c>copy_env</c> is set, and expands the
/// daemon's variables in them: env(1) does both.
/// </summary>
/// <param name="references">The references of the watcher.</param>
/// <param name="listeners">The watcher's sockets, in descriptor order.</param>
/// <param name="environment">The names of its variables.</param>
/// <param name="isIsolated">Whether it inherits no variable.</param>
internal sealed class CircusCommand(
    CircusReferences references, IReadOnlyList<string> listeners, IReadOnlyCollection<string> environment, bool isIsolated)
{
    public const string IsolationRemark = "Circus passes only the variables of [env]; without \"env -i\" the worker inherits the daemon's";

    private const string Slot = "LISTEND_WORKER";

    private readonly CommandText _command = new();
    private bool _usesWorker;

    /// <summary>Translates a command line that is executed directly; null if a quote is not closed.</summary>
    public CommandText? Direct(string line)
    {
        if (ShellWords.Split(line) is not { } words)
        {
            return null;
        }

        AddEnvironment(withSlot: false);
        foreach (var word in words)
        {
            AddWord(_command, word);
        }

        return _command;
    }

    /// <summary>
    /// Translates a line for a shell: Circus quotes the arguments, but not the command. Null if a quote in the arguments is not closed.
    /// </summary>
    public CommandText? Shell(string line, string? arguments)
    {
        if (ShellWords.Split(arguments ?? "") is not { } words)
        {
            return null;
        }

        var script = new ShellScript(this);
        references.Read(line, script);
        var quoted = new CommandText();
        foreach (var word in words)
        {
            AddWord(quoted, word);
        }

        AddEnvironment(withSlot: isIsolated && _usesWorker);
        AddLiteral("/bin/sh");
        AddLiteral("-c");
        AddLiteral(quoted.IsEmpty ? script.Text : $"{script.Text} {quoted.ShellLine()}");
        return _command;
    }

    private void AddEnvironment(bool withSlot)
    {
        var written = environment.Where(name => isIsolated || references.Variable(name) is null).ToList();
        if (!isIsolated && written.Count == 0)
        {
            return;
        }

        AddLiteral("/usr/bin/env");
        if (isIsolated)
        {
            AddLiteral("-i");
        }

        foreach (var name in written)
        {
            _command.BeginWord();
            _command.Literal(name + "=");
            references.ReadVariable(name, new Word(_command, this));
        }

        if (withSlot)
        {
            _command.BeginWord();
            _command.Literal(Slot + "=");
            _command.Variable(Slot);
        }
    }

    private void AddLiteral(string word)
    {
        _command.BeginWord();
        _command.Literal(word);
    }

    private void AddWord(CommandText command, string word)
    {
        command.BeginWord();
        references.Read(word, new Word(command, this));
    }

    private string? Descriptor(string socket)
    {
        var index = listeners.Index().Where(one => one.Item == socket).Select(one => (int?)one.Index).FirstOrDefault();
        return index is { } at ? (3 + at).ToString(CultureInfo.InvariantCulture) : null;
    }

    private sealed class Word(CommandText command, CircusCommand owner) : CircusReferences.IPieces
    {
        public void Literal(string text) => command.Literal(text);

        public void Variable(string name) => command.Variable(name);

        public void Worker()
        {
            owner._usesWorker = true;
            command.Arithmetic(Slot + " + 1");
        }

        public bool Socket(string name)
        {
            if (owner.Descriptor(name) is not { } descriptor)
            {
                return false;
            }

            command.Literal(descriptor);
            return true;
        }
    }

    private sealed class ShellScript(CircusCommand owner) : CircusReferences.IPieces
    {
        private readonly System.Text.StringBuilder _text = new();

        public string Text => _text.ToString();

        public void Literal(string text) => _text.Append(text);

        public void Variable(string name) => _text.Append("${").Append(name).Append('}');

        public void Worker()
        {
            owner._usesWorker = true;
            _text.Append("$((" + Slot + " + 1))");
        }

        public bool Socket(string name)
        {
            _text.Append(owner.Descriptor(name));
            return owner.Descriptor(name) is not null;
        }
    }
}
